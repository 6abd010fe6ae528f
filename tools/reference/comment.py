"""A comment taken apart: a summary, then blocks with blank lines between them.

A block is a paragraph, a list of `- name, name: text`, an example (indented by four or more) or a table."""

import dataclasses
import re

ITEM = re.compile(r"^- ([^\s:]+(?:, [^\s:]+)*): (.*)$")


@dataclasses.dataclass
class Comment:
    summary: str
    blocks: list  # of (kind, content)

    @property
    def items(self):
        """What is said of each name: [(names, text)]."""
        return [item for kind, content in self.blocks if kind == "list" for item in content]


def parse(text):
    summary, _, rest = text.partition("\n")
    return Comment(summary.strip(), [block(lines) for lines in paragraphs(rest)])


def paragraphs(text):
    """An example may have blank lines in it: what is indented goes on."""
    found = []
    for part in re.split(r"\n[ \t]*\n", text.strip("\n")):
        if not part.strip():
            continue
        if found and is_example(part) and is_example(found[-1]):
            found[-1] += "\n\n" + part
        else:
            found.append(part)
    return [part.split("\n") for part in found]


def is_example(part):
    return all(line.startswith("    ") for line in part.split("\n") if line.strip())


def block(lines):
    if is_example("\n".join(lines)):
        return "example", "\n".join(line[4:] for line in lines)
    if lines[0].startswith("|"):
        return "table", "\n".join(lines)
    if lines[0].startswith("- "):
        return "list", items(lines)
    return "paragraph", " ".join(line.strip() for line in lines)


def items(lines):
    found = []
    for line in lines:
        matched = ITEM.match(line)
        if matched:
            found.append((matched[1].split(", "), matched[2].strip()))
        elif found and line.startswith("  "):
            names, text = found.pop()
            found.append((names, f"{text} {line.strip()}"))
        else:
            raise ValueError(f"this is neither '- name: text' nor the rest of one: {line!r}")
    return found
