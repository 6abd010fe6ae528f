"""The page of sqs_sync_report in a browser: it asks for nothing, runs nothing, and can be read by
everyone, by day and by night, on a phone and on paper."""

import pytest

from support import shop
from support.cluster import ROOT
from support.database import create_database, drop_database
from support.running import fresh_name

AXE = ROOT / "tests" / "page" / "node_modules" / "axe-core" / "axe.min.js"
PHONE, DESK = 360, 1280
VIEWS = {"light": (DESK, "light"), "dark": (DESK, "dark"), "phone": (PHONE, "light"), "dark phone": (PHONE, "dark")}


@pytest.fixture(scope="session")
def pages(preloaded, emulator, tmp_path_factory):
    """What a user has: files."""
    database = create_database(preloaded, fresh_name("shop"), emulator.endpoint)
    queue = emulator.create_queue(fresh_name("queue"))
    directory = tmp_path_factory.mktemp("pages")
    (directory / "empty.html").write_text(shop.report(database.analyst))
    shop.fill(database, queue)
    (directory / "all.html").write_text(shop.report(database.analyst))
    (directory / "one.html").write_text(shop.report(database.analyst, shop.NAME))
    yield directory
    queue.delete()
    drop_database(database)


@pytest.fixture(params=["all", "one", "empty"])
def page_file(request, pages):
    return pages / f"{request.param}.html"


class Visit:
    """A page that is opened, with all that it says, asks for, or does wrong."""

    def __init__(self, browser, file, width=DESK, scheme="light"):
        self.url = file.as_uri()
        self.said, self.asked = [], []
        self.context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
        self.page = self.context.new_page()
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(self.url, wait_until="networkidle")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.context.close()

    def violations(self):
        self.page.evaluate(AXE.read_text())
        found = self.page.evaluate("axe.run(document, {resultTypes: ['violations', 'incomplete']})")
        return [(one["id"], one["help"], [node["target"] for node in one["nodes"][:3]]) for one in found["violations"]]


def test_the_page_says_and_asks_for_nothing_and_runs_nothing(browser, page_file):
    with Visit(browser, page_file) as visit:
        for element in visit.page.query_selector_all("a, summary"):
            element.focus()
            element.click()
        assert visit.said == []
        assert {url.split("#")[0] for url in visit.asked if not url.startswith("data:")} == {visit.url}
        assert visit.page.evaluate("typeof pwned") == "undefined"
        assert visit.page.evaluate("document.querySelectorAll('script, img, b[onclick], i[onclick]').length") == 0


def test_a_script_that_came_in_would_not_run(browser, tmp_path, pages):
    """The policy holds even where escaping would not."""
    file = tmp_path / "report.html"
    file.write_text((pages / "all.html").read_text().replace("<main>", "<main><script>pwned = 1</script><img src='https://x.example/a.png'>"))
    with Visit(browser, file) as visit:
        assert visit.page.evaluate("typeof pwned") == "undefined"
        assert any("Content Security Policy" in text for text in visit.said)


@pytest.mark.parametrize("view", VIEWS)
def test_axe_finds_no_violation(browser, page_file, view):
    with Visit(browser, page_file, *VIEWS[view]) as visit:
        for details in visit.page.query_selector_all("details"):
            details.evaluate("details => details.open = true")
        assert visit.violations() == []


def test_axe_sees_what_is_wrong(browser, tmp_path, pages):
    """The check above can fail."""
    broken = tmp_path / "broken.html"
    broken.write_text((pages / "all.html").read_text().replace('lang="en"', "").replace("--soft: #585d64", "--soft: #dddddd"))
    with Visit(browser, broken) as visit:
        assert {"html-has-lang", "color-contrast"} <= {name for name, *_ in visit.violations()}


def test_no_screen_has_to_be_scrolled_sideways(browser, page_file):
    with Visit(browser, page_file, PHONE) as visit:
        for details in visit.page.query_selector_all("details"):
            details.evaluate("details => details.open = true")
        for width in (PHONE, 320, 600, 768, 800, 1000, DESK):
            visit.page.set_viewport_size({"width": width, "height": 800})
            assert visit.page.evaluate("document.documentElement.scrollWidth") == width
        visit.page.set_viewport_size({"width": 720, "height": 800})
        visit.page.emulate_media(media="print")
        assert visit.page.evaluate("document.documentElement.scrollWidth") == 720


def test_dark_is_dark_and_paper_is_white(browser, page_file):
    brightness = """() => { const rgb = getComputedStyle(document.body).backgroundColor.match(/[0-9]+/g);
                            return (Number(rgb[0]) + Number(rgb[1]) + Number(rgb[2])) / 3 }"""
    with Visit(browser, page_file, DESK, "dark") as visit:
        assert visit.page.evaluate(brightness) < 60
        visit.page.emulate_media(media="print", color_scheme="dark")
        assert visit.page.evaluate(brightness) == 255
        assert not visit.page.locator("nav").is_visible()
        assert visit.page.pdf().startswith(b"%PDF")


def test_the_keyboard_goes_through_the_page_in_its_order(browser, page_file):
    with Visit(browser, page_file) as visit:
        visit.page.keyboard.press("Tab")
        assert "Skip" in visit.page.evaluate("document.activeElement.textContent")
        visit.page.keyboard.press("Tab")
        links = visit.page.eval_on_selector_all("nav a", "links => links.map(link => link.textContent)")
        assert visit.page.evaluate("document.activeElement.textContent") == links[0]
        headings = visit.page.eval_on_selector_all("main h2", "titles => titles.map(title => title.textContent)")
        assert links == headings


def test_charts_are_drawn_and_named(browser, pages):
    with Visit(browser, pages / "all.html") as visit:
        for title in ("Runs", "Messages published", "Throughput", "How long runs took", "Changes found"):
            chart = visit.page.locator("figure", has=visit.page.get_by_role("heading", name=title, exact=True))
            box = chart.get_by_role("img").bounding_box()
            assert box["width"] > 200 and box["height"] > 100
            marks = chart.locator("path.bar, path.dot").evaluate_all("marks => marks.map(mark => mark.getAttribute('d').length)")
            assert marks and all(marks)
