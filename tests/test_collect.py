"""Archives from learning platforms, and archives that mean harm."""

from __future__ import annotations

import contextlib
import io
import struct
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.course import load_assignment
from autograder.errors import CourseError
from autograder.exchange.collect import collect

FOUND = load_assignment("backprop")


def archive(folder: Path, files: dict[str, bytes]) -> Path:
    path = folder / "archive.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, data in files.items():
            zipped.writestr(name, data)
    return path


def collected(folder: Path, files: dict[str, bytes]) -> dict[str, bytes]:
    """What stands in the course afterwards, by path below `submitted`."""
    course = folder / "course"
    course.mkdir(exist_ok=True)
    collect(archive(folder, files), FOUND, course)
    root = course / "submitted"
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


@pytest.mark.parametrize(
    ("name", "student"),
    [
        ("Ada Lovelace_1234567_assignsubmission_file_/backprop.ipynb", "ada_lovelace-1234567"),
        ("Ada Lovelace_1234567_assignsubmission_file_backprop.ipynb", "ada_lovelace-1234567"),
        ("lovelaceada_55_777_backprop.ipynb", "lovelaceada-55"),
        ("lovelaceada_LATE_55_777_backprop-1.ipynb", "lovelaceada-55"),
        ("ada/backprop.ipynb", "ada"),
        ("ada/work/My Notebook.IPYNB", "ada"),
        ("submitted/ada/backprop/backprop.ipynb", "ada"),
        ("course/submitted/ada/backprop/backprop.ipynb", "ada"),
        ("Zoë Ünal_9_assignsubmission_file_/x.ipynb", "zoë_ünal-9"),
    ],
)
def test_a_file_finds_its_student(name: str, student: str, tmp_path: Path) -> None:
    assert collected(tmp_path, {name: b"{}"}) == {f"{student}/backprop/backprop.ipynb": b"{}"}


def test_gradescopes_export_says_who_handed_in_what(tmp_path: Path) -> None:
    metadata = b"""\
submission_1:
  :submitters:
  - :name: Ada Lovelace
    :sid: "00042"
    :email: ada@example.org
submission_2:
  :submitters:
  - {":name": Ben, ":sid": null, ":email": ben@example.org}
submission_3: {":submitters": []}
submission_4:
  :submitters:
  - {":name": Eve, ":sid": ../../eve}
"""
    files = {f"export/submission_{n}/backprop.ipynb": b"{}" for n in range(1, 5)}
    found = collected(tmp_path, files | {"export/submission_metadata.yml": metadata})
    students = ("00042", "ben@example.org", "submission_3")
    assert set(found) == {f"{student}/backprop/backprop.ipynb" for student in students}


def test_a_students_own_list_is_no_list(tmp_path: Path) -> None:
    forged = b"submission_1: {':submitters': [{':sid': ben}]}"
    files = {
        "ada/submission_metadata.yml": forged,
        "ada/submission_1/backprop.ipynb": b"1",
        "ben/backprop.ipynb": b"2",
    }
    assert collected(tmp_path, files) == {
        "ada/backprop/backprop.ipynb": b"1",
        "ben/backprop/backprop.ipynb": b"2",
    }


@pytest.mark.parametrize(
    "data", [b"a: [", b"a: &a [*a, *a]", b"!!python/object:os.system {}", b"[" * 100_000, b"3"]
)
def test_a_hostile_list_is_a_sentence_or_nothing(data: bytes, tmp_path: Path) -> None:
    files = {"export/submission_1/x.ipynb": b"{}", "export/submission_metadata.yml": data}
    with contextlib.suppress(CourseError):
        assert collected(tmp_path, files) == {"export/backprop/backprop.ipynb": b"{}"}


def test_of_several_notebooks_the_one_with_the_right_name_counts(tmp_path: Path) -> None:
    files = {"ada/notes.ipynb": b"1", "ada/backprop.ipynb": b"2", "ada/zz.ipynb": b"3"}
    assert collected(tmp_path, files) == {"ada/backprop/backprop.ipynb": b"2"}


def test_what_is_no_notebook_is_passed_over(tmp_path: Path) -> None:
    files = {
        "__MACOSX/ada/._backprop.ipynb": b"x",
        "ada/.ipynb_checkpoints/backprop-checkpoint.ipynb": b"x",
        "ada/photo.png": b"x",
        "readme.txt": b"x",
    }
    assert collected(tmp_path, files) == {}


@pytest.mark.parametrize(
    "name",
    [
        "../../evil.ipynb",
        "/etc/evil.ipynb",
        "../evil/backprop.ipynb",
        "..\\evil\\backprop.ipynb",
        "C:\\evil\\backprop.ipynb",
        "a\nb/backprop.ipynb",
        "\u202eevil/backprop.ipynb",
        "x" * 250 + "/backprop.ipynb",
        "backprop.ipynb",
    ],
)
def test_no_name_leads_out_of_the_course(name: str, tmp_path: Path) -> None:
    course = tmp_path / "course"
    course.mkdir()
    outcome = collect(archive(tmp_path, {name: b"{}", "ada/backprop.ipynb": b"{}"}), FOUND, course)
    written = [p.relative_to(tmp_path) for p in tmp_path.rglob("*.ipynb")]
    assert all(path.parts[:2] == ("course", "submitted") for path in written)
    assert "ada" in outcome.written
    assert all("\n" not in line and "\u202e" not in line for line in outcome.left_out)


def test_links_and_bombs_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "archive.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as zipped:
        link = zipfile.ZipInfo("ada/backprop.ipynb")
        link.external_attr = 0o120777 << 16
        zipped.writestr(link, "/etc/passwd")
        zipped.writestr("ben/backprop.ipynb", bytes(30 * 2**20))
        zipped.writestr("cy/backprop.ipynb", b"{}")
    outcome = collect(path, FOUND, tmp_path)
    assert outcome.written == ["cy"]
    assert [line.split(": ")[1] for line in outcome.left_out] == [
        "a link, not a file",
        "larger than 20 MB",
    ]


def test_sizes_that_lie_do_not_help(tmp_path: Path) -> None:
    path = archive(tmp_path, {"ada/backprop.ipynb": bytes(30 * 2**20)})
    data = bytearray(path.read_bytes())
    central = data.index(b"PK\x01\x02")
    data[central + 24 : central + 28] = struct.pack("<I", 10)
    path.write_bytes(data)
    outcome = collect(path, FOUND, tmp_path)
    written = list((tmp_path / "submitted").rglob("*.ipynb"))
    assert all(p.stat().st_size <= 20 * 2**20 for p in written)
    assert outcome.written or outcome.left_out


def test_what_was_handed_in_before_stays_unless_it_is_to_be_replaced(tmp_path: Path) -> None:
    assert collected(tmp_path, {"ada/backprop.ipynb": b"1"})
    again = archive(tmp_path, {"ada/backprop.ipynb": b"2"})
    place = tmp_path / "course/submitted/ada/backprop/backprop.ipynb"
    outcome = collect(again, FOUND, tmp_path / "course")
    assert (outcome.written, place.read_bytes()) == ([], b"1")
    assert "has handed in already" in outcome.left_out[0]
    assert collect(again, FOUND, tmp_path / "course", replace=True).written == ["ada"]
    assert place.read_bytes() == b"2"


@pytest.mark.parametrize("data", [b"", b"no zip at all", b"PK\x03\x04" + b"\0" * 100])
def test_what_is_no_archive_is_said(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(data)
    with pytest.raises(CourseError, match="cannot be read as a zip archive"):
        collect(tmp_path / "x.zip", FOUND, tmp_path)


@given(where=st.integers(0, 400), value=st.integers(0, 255))
def test_a_damaged_archive_is_collected_or_named(
    where: int, value: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr("ada/backprop.ipynb", b'{"cells": []}' * 20)
        zipped.writestr("ben/backprop.ipynb", b"{}")
    data = bytearray(buffer.getvalue())
    data[where % len(data)] = value
    (folder / "x.zip").write_bytes(data)
    with contextlib.suppress(CourseError):
        collect(folder / "x.zip", FOUND, folder)
    assert all(path.suffix == ".ipynb" for path in (folder / "submitted").rglob("*.*"))
