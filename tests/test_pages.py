"""The report and the feedback pages in a real browser.

Playwright drives the system's Chromium; where either is missing, these tests are skipped. The
pages hold a class with every kind of result and with hostile names and messages.
"""

from __future__ import annotations

import itertools
import json
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from test_report import HOSTILE, NAME, all_of, check, exercise, give, plausible_class

from autograder.authoring import demo
from autograder.course import load_assignment
from autograder.judging.answers import alternatives, reference_code
from autograder.records.feedback import Pages
from autograder.records.gradebook import Recorder
from autograder.records.report import read_report, write_report
from autograder.results import Store

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
if CHROMIUM is None:
    pytest.skip("Chromium is not installed", allow_module_level=True)

pytestmark = pytest.mark.slow
FOUND = load_assignment(NAME)
PHONE = {"width": 390, "height": 844}
BEAMER = {"width": 1920, "height": 1080}
EXERCISE = "lj_force"
HOSTILE_NAME = '<b onmouseover="alert(1)">&'
CONTROLS = "a[href], summary, button, input, [tabindex='0']"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        yield started
        started.close()


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Addresses of a class's pages by name."""
    course = tmp_path_factory.mktemp("course")
    plausible_class(course, 9)
    evil = "\n".join(HOSTILE)
    slip = exercise("lj_force", "wrong", message=evil, hint=evil, mistake="sign_lost")
    slow = exercise("standardise", "wrong", checks=[check("quick", "failed", kind="time")])
    give(course, HOSTILE_NAME, [slip, slow], notes=[evil])
    lost = {"status": "grader_error", "message": "the judge was lost"}
    give(course, "lost", [exercise("lj_force", "error"), exercise("lj_potential", "right")], **lost)
    give(course, "torn", status="unreadable", message="the file is empty")
    for student in ("twin", "other_twin"):
        give(course, student, all_of("right"), submission_sha256="0" * 64)
    release = json.loads(FOUND.release.read_text(encoding="utf-8"))
    code = {e.name: reference_code(FOUND, e.name) for e in FOUND.exercises}
    styles = {answer.exercise: answer.code for answer in alternatives(FOUND)}
    for n in range(9):
        folder = course / "submitted" / f"student{n:03}" / NAME
        folder.mkdir(parents=True)
        mine = code | (styles if n < 2 else {})
        (folder / f"{NAME}.ipynb").write_text(json.dumps(demo.filled(release, mine)))
    written = Pages(Recorder(course, [FOUND]))
    found = {}
    for result in Store(course).all(NAME):
        written.record(result)
        found[result.student] = written.path(result)
    found["report"] = write_report(read_report(NAME, course), course)
    return {name: path.as_uri() for name, path in found.items()}


def opened(browser: Any, address: str, **context: Any) -> Any:
    """The page, which fails the test that closes it if anything is wrong on its console."""
    page = browser.new_context(**context).new_page()
    page.trouble = []
    page.on("console", lambda message: page.trouble.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: page.trouble.append(str(error)))
    page.on("dialog", lambda dialog: page.trouble.append("a dialog"))
    page.on("request", lambda request: page.trouble.append(request.url))
    page.goto(address)
    assert page.trouble.pop(0) == page.url
    return page


def wide(page: Any) -> int:
    """Pixels by which the page is wider than the window."""
    return page.evaluate("document.documentElement.scrollWidth - innerWidth")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["report", "student003", HOSTILE_NAME, "lost", "torn"])
def test_a_page_is_readable_by_everyone(
    browser: Any, pages: dict[str, str], name: str, scheme: str
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="no axe-core")
    size = PHONE if scheme == "light" else BEAMER
    page = opened(browser, pages[name], viewport=size, color_scheme=scheme)
    assert wide(page) <= 0
    page.evaluate("document.querySelectorAll('details').forEach(e => { e.open = true })")
    assert wide(page) <= 0
    found = axe.Axe().run(page).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"]) for one in found] == []
    levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3,h4')].map(h => +h.tagName[1])")
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    assert page.trouble == []
    page.context.close()


@pytest.mark.parametrize("name", ["report", "student003"])
def test_the_keyboard_reaches_every_control(browser: Any, pages: dict[str, str], name: str) -> None:
    page = opened(browser, pages[name], viewport=PHONE)
    page.evaluate(
        """css => [...document.querySelectorAll(css)].filter(e => e.checkVisibility())
               .forEach((e, n) => e.setAttribute("data-control", n))""",
        CONTROLS,
    )
    controls = page.locator("[data-control]").count()
    reached = set()
    for _ in range(controls + 5):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.getAttribute('data-control')"))
    assert reached - {None} == {str(n) for n in range(controls)}
    assert controls > 5
    page.context.close()


def test_a_number_leads_to_its_submissions(browser: Any, pages: dict[str, str]) -> None:
    page = opened(browser, pages["report"], viewport=PHONE)
    for link, target in (
        ("dl.figures a[href^='#bin']", "#marks details[open] .who a"),
        ("svg.hist a", "#marks details[open] .who a"),
        (".headline a[href='#grader']", "#grader .tell a"),
        (".headline a[href='#unreadable']", "#unreadable .tell a"),
        ("#exercises > details > summary", "#exercises details[open] > .body > details > summary"),
        ("#slips summary", "#slips details[open] .who a"),
        ("#failures .causes summary", "#failures details[open] .tell a"),
        ("#look summary", "#look details[open] .body a"),
        ("#similar summary", "#similar details[open] .beside a"),
        (".heat tfoot a", "#exercises details[open]"),
        ("#grading .row summary", "#grading .row[open] .tell a"),
    ):
        page.goto(pages["report"])
        page.trouble.clear()
        page.locator(link).first.click()
        page.locator(target).first.wait_for(state="visible")
        assert page.trouble == []
    page.goto(pages["report"])
    page.locator(".heat tbody a[href^='#s']").first.click()
    page.locator("#students details[open]").wait_for(state="visible")
    page.locator("#students details[open] a").first.click()
    page.wait_for_url("**/feedback/**")
    page.context.close()


def test_the_class_can_be_sorted_and_searched(browser: Any, pages: dict[str, str]) -> None:
    page = opened(browser, pages["report"], viewport=BEAMER)
    points = page.locator(".heat thead button").nth(1)
    points.press("Enter")
    order = "[...document.querySelectorAll('.heat tbody tr')].map(r => +r.cells[1].dataset.v)"
    down = page.evaluate(order)
    points.press("Enter")
    up = page.evaluate(order)
    assert (down, up) == (sorted(down, reverse=True), sorted(up))
    assert page.locator(".heat [aria-sort]").count() == 1
    page.locator("#students input").fill("DENT003")
    assert page.locator("#students details:visible").count() == 1
    assert page.locator(".heat tbody tr:visible").count() == 1
    page.context.close()
