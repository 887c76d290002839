"""The page in a headless Chromium: nothing in the console, nothing from the network, usable by keyboard."""

import shutil

import pytest
from made_runs import NASTY, make_run

from search.reporting.report.write import write_report

sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="needs a Chromium on the path"),
]


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = make_run(tmp_path_factory.mktemp("run"), classes=("a", "b", "<c>"), rows=200, texts=[NASTY] * 30)
    write_report(folder)
    return (folder / "report.html").as_uri()


@pytest.fixture
def opened(browser, report, request):
    width, scheme = getattr(request, "param", (1280, "light"))
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page.said = []
    page.on("console", lambda message: page.said.append(message.text))
    page.on("pageerror", lambda error: page.said.append(str(error)))
    page.on("dialog", lambda dialog: page.said.append("dialog"))
    page.on("request", lambda one: one.url.startswith(("file:", "data:")) or page.said.append(one.url))
    page.goto(report)
    yield page
    page.close()


@pytest.mark.parametrize(
    "opened", [(width, scheme) for width in (1280, 390) for scheme in ("light", "dark")], indirect=True
)
def test_every_picture_is_drawn_and_nothing_is_wider_than_the_page(opened):
    assert opened.said == []
    assert opened.evaluate("document.documentElement.scrollWidth <= innerWidth")
    shown = opened.locator("svg:visible")
    assert shown.count() > 12
    for i in range(shown.count()):
        box = shown.nth(i).bounding_box()
        assert box["width"] > 200 and box["height"] > 60
        assert shown.nth(i).get_attribute("aria-label")
    texts = opened.evaluate(
        "[...document.querySelectorAll('svg:not([hidden]) text')].map(t => t.getBoundingClientRect())"
        ".filter(r => r.width).map(r => r.height)"
    )
    assert min(texts) >= 9, "a text of a picture is too small to read"


def test_a_table_is_sorted_by_keyboard_and_says_so(opened):
    head = opened.locator("#mistakes-table th", has_text="sureness")
    head.locator("button").focus()
    opened.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") == "ascending"
    column = [float(text) for text in opened.locator("#mistakes-table tbody td:nth-child(4)").all_inner_texts()]
    assert column == sorted(column) and len(set(column)) > 1
    opened.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") == "descending"


def test_filters_meet(opened):
    rows = opened.locator("#mistakes-table tbody tr:visible")
    every = rows.count()
    opened.get_by_role("searchbox", name="Search").fill("ALERT(1)")
    found = rows.count()
    assert 0 < found < every and str(found) in opened.locator("#count").inner_text()
    opened.locator("#kind").select_option(index=1)
    kind = opened.locator("#kind").input_value()
    assert 0 < rows.count() < found and all(row.get_attribute("data-kind") == kind for row in rows.all())


def test_one_hyperparameter_is_shown_at_a_time_and_all_on_paper(opened):
    blocks = opened.locator("[data-block=slice]")
    assert blocks.count() > 2 and opened.locator("[data-block=slice]:visible").count() == 1
    opened.locator("#slice").select_option(index=2)
    assert blocks.nth(2).is_visible() and not blocks.nth(0).is_visible()
    opened.emulate_media(media="print")
    assert opened.locator("[data-block=slice]:visible").count() == blocks.count()
    opened.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert opened.locator("details:not([open])").count() == 0


def test_the_arrow_keys_walk_the_marks_of_a_picture(opened):
    opened.locator("#model svg").first.focus()
    opened.keyboard.press("ArrowRight")
    first = opened.locator("#tip").inner_text()
    opened.keyboard.press("ArrowRight")
    assert first and opened.locator("#tip").inner_text() not in ("", first)
    opened.keyboard.press("Escape")
    assert opened.locator("#tip").is_hidden()


def test_a_range_on_an_axis_fades_the_other_lines(opened):
    axes = opened.locator("rect.brush:visible")
    faded, lines = opened.locator("svg:visible .off"), opened.locator("svg:visible [data-at]").count()
    axes.last.scroll_into_view_if_needed()
    box = axes.last.bounding_box()
    x, y, height = box["x"] + box["width"] / 2, box["y"], box["height"]
    opened.mouse.move(x, y + 2)
    opened.mouse.down()
    opened.mouse.move(x, y + height / 2, steps=3)
    opened.mouse.up()
    by_score = faded.count()
    assert 0 < by_score < lines
    assert opened.locator(".brushing:visible").inner_text().startswith(f"{lines - by_score} of {lines}")
    better = [float(tip.split()[-1]) for tip in faded.evaluate_all("them => them.map(one => one.dataset.tip)")]
    kept = opened.locator("svg:visible [data-at]:not(.off)").evaluate_all("them => them.map(one => one.dataset.tip)")
    assert max(better) <= min(float(tip.split()[-1]) for tip in kept)
    axes.first.focus()
    opened.keyboard.press("ArrowUp")
    assert faded.count() > by_score
    opened.keyboard.press("Escape")
    assert faded.count() == by_score
    opened.get_by_role("button", name="show all").click()
    assert faded.count() == 0


def test_a_tooltip_stays_on_the_page_and_shows_text_as_text(browser, report):
    page = browser.new_page(viewport={"width": 390, "height": 800})
    page.goto(report)
    marks = page.locator("#model svg [data-tip]:visible")
    marks.nth(2).evaluate("mark => mark.scrollIntoView({block: 'center'})")
    page.wait_for_timeout(300)  # a page that moves takes tooltips away
    marks.nth(2).hover()
    box = page.locator("#tip").bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= 390
    page.close()


def test_without_scripts_everything_is_there(browser, report):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(report)
    assert page.locator("[data-block=slice]:visible").count() > 2
    assert page.locator("#mistakes-table tbody tr:visible").count() > 10
    context.close()
