"""The page: frame.md, with what the catalog says where it has `<!-- … -->`."""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
FRAME = pathlib.Path(__file__).with_name("frame.md")
PAGE = ROOT / "docs" / "reference.md"
WIDTH = 100
LINK = re.compile(r"docs/([\w-]+)\.md(?:#([\w-]+))?")
CONTEXTS = {
    "postmaster": "In the configuration file; needs a restart.",
    "sighup": "In the configuration file, or by `ALTER SYSTEM`; a reload suffices.",
    "superuser": "A superuser's to set.",
    "user": "In any session.",
}


class DeadLink(Exception):
    pass


def write(catalog):
    frame = FRAME.read_text()
    parts = {
        "functions": "\n\n".join(function(f) for f in catalog.functions if not f.is_inner),
        "inner functions": "\n\n".join(function(f) for f in catalog.functions if f.is_inner and f.is_public),
        "views": views(catalog.views),
        "settings": table(["setting", "default", "means"], [setting(row) for row in catalog.settings]),
        "rejections": errors(catalog, "rejection", "code"),
        "test": errors(catalog, "test", "code"),
        "call": errors(catalog, "call", "SQLSTATE"),
        "options errors": errors(catalog, "options", "SQLSTATE"),
        "run": errors(catalog, "run", "SQLSTATE"),
        **{f"options of {wrapper['name']}": options(catalog, wrapper["name"]) for wrapper in catalog.wrappers},
    }
    for name, text in parts.items():
        marker = f"<!-- {name} -->"
        if marker not in frame:
            raise DeadLink(f"{FRAME.relative_to(ROOT)} has no place for what there is: {marker}")
        frame = frame.replace(marker, text)
    return linked(frame.rstrip() + "\n")


def function(function):
    parts = [f"### {function.name}", signature(function), sentence(function.comment.summary)]
    for kind, content in function.comment.blocks:
        parts += items(function, content) if kind == "list" else [written(kind, content)]
    return "\n\n".join(parts)


def signature(function):
    wanted = [a.name + f" {a.type}" + (f" = {a.default}" if a.default else "") for a in function.arguments if a.mode in "ib"]
    call = "CALL " if function.is_procedure else ""
    result = "" if function.is_procedure else f" → {function.result}"
    whole = f"{call}{function.name}({', '.join(wanted)}){result}"
    if len(whole) > WIDTH:
        lines, line = [], ""
        for one in wanted:
            joined = f"{line}, {one}" if line else one
            if len(joined) > WIDTH - 4:
                lines.append(line)
                joined = one
            line = joined
        whole = f"{call}{function.name}(\n  " + ",\n  ".join([*lines, line]) + f"){result}"
    return f"```text\n{whole}\n```"


def items(function, told):
    given, columns, errors = [], [], []
    for names, text in told:
        mine = [argument for argument in function.arguments if argument.name in names]
        if mine and (inputs := [a for a in mine if a.mode in "ib"]):
            given.append([code(inputs), typed(inputs), text])
        if outputs := [a for a in mine if a.mode in "ot"]:
            columns.append([code(outputs), typed(outputs), text])
        errors += [[f"`{name}`", text] for name in names if not mine]
    return [table(head, rows) for head, rows in [
        (["argument", "type, default", ""], given), (["column", "type", ""], columns), (["error", ""], errors)] if rows]


def code(arguments):
    return ", ".join(f"`{argument.name}`" for argument in arguments)


def typed(arguments):
    kinds = []
    for argument in arguments:
        kind = argument.type
        if argument.default not in (None, "NULL"):
            kind += f", `{argument.default}`"
        elif argument.default:
            kind += ", null"
        if argument.mode == "b":
            kind += "; a column too"
        if kind not in kinds:
            kinds.append(kind)
    return " / ".join(kinds)


def views(views):
    written_ones, seen = [], {}
    for view in views:
        columns = tuple((column["name"], column["comment"]) for column in view.columns)
        body = f"The columns are those of [{seen[columns]}](#{slug(seen[columns])})." if columns in seen else table(
            ["column", "type", ""], [[f"`{c['name']}`", c["type"], c["comment"]] for c in view.columns])
        seen.setdefault(columns, view.name)
        rest = [written(kind, content) for kind, content in view.comment.blocks]
        written_ones.append("\n\n".join([f"### {view.name}", sentence(view.comment.summary), *rest, body]))
    return "\n\n".join(written_ones)


def written(kind, content):
    return {"example": f"```sql\n{content}\n```", "table": content, "paragraph": content}[kind]


def setting(row):
    default = row["boot_val"] + (f" {row['unit']}" if row["unit"] else "")
    if row["enumvals"]:
        default += f" (of {', '.join(row['enumvals'])})"
    elif row["min_val"] is not None:
        default += f" ({row['min_val']} to {row['max_val']})"
    means = " ".join([row["short_desc"], row["extra_desc"], CONTEXTS[row["context"]]])
    return [f"`{row['name']}`", default, means]


def options(catalog, wrapper):
    parts = []
    mine = [option for option in catalog.options if option["wrapper"] == wrapper]
    for kind in dict.fromkeys(option["object"] for option in mine):
        rows = [[f"`{o['option']}`", "yes" if o["required"] else "", o["means"]] for o in mine if o["object"] == kind]
        statement = {"server": "`CREATE SERVER … FOREIGN DATA WRAPPER %s OPTIONS (…)`" % wrapper,
                     "user mapping": "`CREATE USER MAPPING FOR … SERVER … OPTIONS (…)`"}[kind]
        parts.append(f"Options of a {kind}, {statement}:\n\n" + table(["option", "required", ""], rows))
    return "\n\n".join(parts)


def errors(catalog, kind, head):
    rows = [[error["code"] if head == "SQLSTATE" else f"`{error['code']}`", error["means"], error["action"]]
            for error in catalog.errors if error["kind"] == kind]
    return table([head, "means", "do"], rows)


def table(head, rows):
    lines = [head, ["---"] * len(head), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "\n".join("| " + " | ".join(line).strip() + " |" for line in lines)


def sentence(summary):
    return summary[:1].upper() + summary[1:] + "."


def linked(text):
    """Paths of pages become links that say the heading they lead to."""
    def link(found):
        page, anchor = found[1], found[2]
        headings = headings_of(text if page == "reference" else (ROOT / "docs" / f"{page}.md").read_text())
        if anchor is None:
            return f"[{page}.md]({page}.md)"
        if anchor not in headings:
            raise DeadLink(f"{found[0]}: there is no such heading")
        return f"[{headings[anchor]}]({'' if page == 'reference' else page + '.md'}#{anchor})"
    return LINK.sub(link, text)


def headings_of(text):
    """Anchor to heading, as GitHub makes them; what is in a fence is none."""
    bare = re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
    return {slug(heading): heading for heading in re.findall(r"^#+ (.*)$", bare, re.MULTILINE)}


def slug(heading):
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
