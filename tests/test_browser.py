"""A student in JupyterLab on the bundled folder, and an instructor in formgrader, in a real
browser."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from autograder.authoring import demo
from autograder.course import ROOT, load_assignment
from autograder.exchange.bundle import student_folder

sync_api = pytest.importorskip(
    "playwright.sync_api", reason="Playwright drives the browser: pip install '.[test]'"
)
expect = sync_api.expect
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="a browser is needed: apt-get install chromium"),
]
QUIET = ("--no-first-run", "--disable-background-networking", "--disable-component-update")
SETTINGS = {
    # All cells are on the page, not only those in view.
    "notebook-extension/tracker": {"windowingMode": "none"},
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "apputils-extension/themes": {"theme": "JupyterLab Light"},
}
PATIENCE = 240_000
"""Milliseconds; only a browser that hangs waits so long."""


@contextlib.contextmanager
def jupyter(folder: Path, own: Path) -> Iterator[tuple[str, str]]:
    """JupyterLab on a folder, with settings of its own below `own`: its address and token."""
    places = {
        "HOME": own,
        "IPYTHONDIR": own / "ipython",
        "JUPYTER_CONFIG_DIR": own / "config",
        "JUPYTER_DATA_DIR": own / "data",
        "JUPYTER_RUNTIME_DIR": own / "runtime",
        "JUPYTERLAB_SETTINGS_DIR": own / "settings",
        "JUPYTERLAB_WORKSPACES_DIR": own / "workspaces",
    }
    for name, values in SETTINGS.items():
        path = own / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values))
    environment = os.environ | {name: str(place) for name, place in places.items()}
    environment.pop("PYTHONPATH", None)  # the folder has to do alone
    with (own / "log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--port=0"],
            cwd=folder,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        yield _address(own / "runtime", server)
    finally:
        server.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(60)
        server.kill()
        server.wait()


def _address(runtime: Path, server: subprocess.Popen[bytes]) -> tuple[str, str]:
    """Where the server listens, from the file that it writes when it is ready."""
    while server.poll() is None:
        for path in runtime.glob("jpserver-*.json"):
            try:
                found = json.loads(path.read_text())
            except ValueError:
                continue  # half written
            return found["url"], found["token"]
        time.sleep(0.2)
    raise AssertionError(f"JupyterLab ended: {(runtime.parent / 'log').read_text()[-2000:]}")


@contextlib.contextmanager
def chromium(width: int, height: int) -> Iterator[Any]:
    """A page in a browser of its own."""
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        page = browser.new_page(viewport={"width": width, "height": height})
        page.set_default_timeout(PATIENCE)
        yield page
        browser.close()


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Any]:
    """A student's notebook, with the kernel at its service."""
    folder = tmp_path / "folder"
    student_folder([load_assignment("backprop")], folder)
    with jupyter(folder, tmp_path) as (url, token), chromium(1200, 900) as page:
        page.goto(f"{url}lab/tree/backprop/backprop.ipynb?token={token}")
        page.locator(".jp-Notebook .jp-Cell").first.wait_for()
        page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
        yield page


SUM = "def mse_loss(y_pred, y_true):\n    return np.sum((y_pred - y_true) ** 2)\n"


def test_a_student_fills_in_an_exercise(page: Any, tmp_path: Path) -> None:
    asked: set[str | None] = set()
    page.on("request", lambda request: asked.add(urlsplit(request.url).hostname))
    cells = page.locator(".jp-Notebook .jp-Cell")
    exercise = cells.filter(has_text="def mse_loss")
    check = cells.filter(has_text='check("mse_loss")').locator(".jp-OutputArea")
    summary = cells.filter(has_text="summary()").last
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_text("Run All Cells", exact=True).click()
    summary.get_by_text("0 of 10 exercises written; 0 of 36 public checks passed").wait_for()
    assert check.inner_text().strip() == "mse_loss is still to be written"

    def write(code: str) -> None:
        """Replaces the cell, runs it and the one below."""
        exercise.locator(".cm-content").click()
        page.keyboard.press("ControlOrMeta+a")
        page.keyboard.insert_text(code)
        page.keyboard.press("Shift+Enter")
        page.keyboard.press("Shift+Enter")

    def picture(name: str, of: Any) -> None:
        of.scroll_into_view_if_needed()
        page.screenshot(path=tmp_path / f"{name}.png")

    write(SUM)
    check.get_by_text("1 of 3 public checks passed; hidden checks run at grading").wait_for()
    said = " ".join(check.inner_text().split())
    assert said.startswith("mse_loss ✗ is the mean over every element called mse_loss("), said
    assert "returned 18 expected 3" in said
    assert "This is the sum of the squares" in said, "the slip is named at the desk"
    picture("wrong", check)

    write(SUM.replace("np.sum", "np.mean"))
    check.get_by_text("3 of 3 public checks passed; hidden checks run at grading").wait_for()
    assert "✗" not in check.inner_text()
    picture("right", check)

    summary.locator(".jp-InputPrompt").click()
    page.keyboard.press("ControlOrMeta+Enter")
    summary.get_by_text("1 of 10 exercises written; 3 of 36 public checks passed").wait_for()
    picture("summary", summary)

    page.set_viewport_size({"width": 800, "height": 800})
    picture("narrow", summary)
    assert summary.locator(".jp-OutputArea").evaluate("one => one.scrollWidth <= one.clientWidth")
    assert asked == {"localhost"}


@pytest.fixture
def graded(tmp_path: Path) -> Path:
    """A course directory with one student's graded submission, which has a slip in it."""
    found, course = load_assignment("backprop"), tmp_path / "course"
    members = [member for member in demo.class_of(found) if member.student == "dmitri"]
    demo.write(course, found, members)
    config = f"c = get_config()\nload_subconfig({str(ROOT / 'nbgrader_config.py')!r})\n"
    (course / "nbgrader_config.py").write_text(config)
    grade(course)
    return course


def grade(course: Path, *options: str) -> None:
    command = [sys.executable, "-m", "autograder", "grade", "backprop", "--jobs", "1"]
    subprocess.run([*command, "--course", str(course), *options], check=True, capture_output=True)


def total(course: Path) -> float:
    """A student's mark as it is exported."""
    command = [sys.executable, "-m", "autograder", "export", "backprop", "--course", str(course)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    (row,) = csv.DictReader(io.StringIO(done.stdout))
    return float(row["total"])


def test_what_is_marked_in_formgrader_survives_a_regrade(graded: Path, tmp_path: Path) -> None:
    with jupyter(graded, tmp_path) as (url, token), chromium(1400, 1000) as page:

        def opened() -> Any:
            """The submission, by formgrader's own links."""
            page.goto(f"{url}formgrader/gradebook?token={token}")
            for _ in range(2):  # the assignment, its notebook
                page.get_by_role("link", name="backprop", exact=True).click()
            page.get_by_role("link", name="Submission #1").click()
            score = page.locator("#check_activation_gradients")
            score.wait_for()
            return score, page.locator("#activation_gradients-comment")

        def saved(field: Any) -> None:
            """Leaves a field; formgrader saves what changed."""
            with page.expect_response(lambda answer: answer.request.method == "PUT") as answer:
                field.blur()
            assert answer.value.ok

        score, comment = opened()
        hint = re.compile("sigmoid_gradient")
        expect(comment).to_have_attribute("placeholder", hint, timeout=PATIENCE)
        expect(score).to_have_attribute("placeholder", re.compile(r"\d"), timeout=PATIENCE)
        before, earned = total(graded), float(score.get_attribute("placeholder"))
        assert 0 < earned < 10
        score.fill("9.5")
        saved(score)
        comment.fill("I see what you mean.")
        saved(comment)
        marked = pytest.approx(before - earned + 9.5)
        assert total(graded) == marked

        grade(graded, "--force")
        assert total(graded) == marked
        score, comment = opened()
        expect(score).to_have_value("9.5", timeout=PATIENCE)
        expect(comment).to_have_value("I see what you mean.", timeout=PATIENCE)
        score.scroll_into_view_if_needed()
        page.screenshot(path=tmp_path / "formgrader.png")
