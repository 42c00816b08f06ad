"""Archives from learning platforms, and archives that mean harm."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sqlite3
import struct
import threading
import time
import unicodedata
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.course import load_assignment
from autograder.errors import CourseError
from autograder.exchange import archive as archives
from autograder.exchange.collect import collect
from autograder.exchange.export import numbers
from autograder.judging.notebook_file import find_notebook
from autograder.records import collected as records
from autograder.records import history
from autograder.records.gradebook import Recorder
from autograder.records.gradebook.students import Known
from autograder.results import save_dropped

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


def gradescope(*groups: list[tuple[str, ...]], first: int = 1) -> dict[str, bytes]:
    """Its export: for each group, of people with name, number and address, a folder and what the
    list says of it."""
    told, files = {}, {}
    for n, group in enumerate(groups, first):
        files[f"export/submission_{n}/x.ipynb"] = f"{n}".encode()
        people = [dict(zip((":name", ":sid", ":email"), one, strict=False)) for one in group]
        told[f"submission_{n}"] = {":submitters": people}
    return files | {"export/submission_metadata.yml": json.dumps(told).encode()}


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
    students = ("00042", "ben@example.org")
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
        assert collected(tmp_path, files) == {}, "nobody is named, and somebody was invented"


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
        "ben\u3164/backprop.ipynb",
        "\u2800/backprop.ipynb",
        "training/backprop.ipynb",
        "backprop.ipynb",
    ],
)
def test_no_name_leads_out_of_the_course(name: str, tmp_path: Path) -> None:
    course = tmp_path / "course"
    course.mkdir()
    outcome = collect(archive(tmp_path, {name: b"{}", "ada/backprop.ipynb": b"{}"}), FOUND, course)
    written = [p.relative_to(tmp_path) for p in tmp_path.rglob("*.ipynb")]
    assert all(path.parts[:2] == ("course", "submitted") for path in written)
    assert outcome.written == ["ada"]
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
        "larger than 16 MB and packed more than 100 to 1, as no honest file is",
    ]


def test_a_line_printed_a_hundred_thousand_times_is_no_bomb(tmp_path: Path) -> None:
    said = {"output_type": "stream", "name": "stdout", "text": ["step accepted\n"] * 100_000}
    work = json.loads(notebook())
    work["cells"][0]["outputs"] = [said]
    path = archive(tmp_path, {"ada/backprop.ipynb": json.dumps(work, indent=1).encode()})
    with zipfile.ZipFile(path) as zipped:
        (member,) = zipped.infolist()
    assert member.file_size > archives.MAX_PACKED * member.compress_size
    assert collect(path, FOUND, tmp_path).written == ["ada"]


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


# ------------------------------------------------------------------------ whose it is


def zipped_bytes(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in files.items():
            made.writestr(name, data)
    return buffer.getvalue()


def notebook(*, written: int = 9, name: str = "backprop", note: str = "") -> bytes:
    """A released notebook with some exercises answered."""
    found = load_assignment(name)
    made: dict[str, Any] = json.loads(found.release.read_bytes())
    exercises = {exercise.name for exercise in found.exercises[:written]}
    for cell in made["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("grade_id") in exercises:
            cell["source"] = [f"# {note}\n", *cell["source"]]
    return json.dumps(made | {"metadata": made["metadata"] | {"note": note}}).encode()


ALICE = "Alice Smith_7_assignsubmission_file_"
MALLORY = "Mallory_9_assignsubmission_file_"


@pytest.mark.parametrize(
    "inside",
    [
        "submitted/alice_smith-7/backprop/backprop.ipynb",
        "submitted/alice_smith-7/backprop.ipynb",
        f"{ALICE}/backprop.ipynb",
        "alice_smith-7/backprop.ipynb",
        "alicesmith_7_1_backprop.ipynb",
        "Alice Smith - backprop.ipynb",
        "7-1 - Alice Smith - Nov 20, 2026 1159 PM/backprop.ipynb",
        "hw_alice_attempt_2026-11-20-18-00-00_backprop.ipynb",
    ],
)
@pytest.mark.parametrize(
    "outside",
    [
        (f"{ALICE}/", f"{MALLORY}/"),
        ("alice_smith-7/", "mallory-9/"),
        (
            "7-1 - Alice Smith - Nov 20, 2026 1159 PM/",
            "9-1 - Mallory - Nov 20, 2026 1159 PM/",
        ),
    ],
)
def test_nobody_hands_in_for_another(inside: str, outside: tuple[str, str], tmp_path: Path) -> None:
    """Not by a folder, a name or a list inside one's own upload, zipped or not."""
    alice, mallory = outside
    forged = b"submission_1: {':submitters': [{':sid': alice_smith-7}]}"
    for work in (
        {mallory + inside: b"m"},
        {mallory + "work.zip": zipped_bytes({inside: b"m"})},
        {mallory + "submission_metadata.yml": forged, mallory + "submission_1/x.ipynb": b"m"},
    ):
        course = tmp_path / str(len(list(tmp_path.iterdir())))
        found = collected_in(course, {f"{alice}backprop.ipynb": b"a"} | work)
        assert found == {"alice_smith-7": b"a", "mallory-9": b"m"}, work.keys()


def collected_in(course: Path, files: dict[str, bytes]) -> dict[str, bytes]:
    """Who has which notebook after a collect into a new course."""
    course.mkdir()
    collect(archive(course, files), FOUND, course)
    return {p.parts[-3]: p.read_bytes() for p in course.glob("submitted/*/*/backprop.ipynb")}


@pytest.mark.parametrize(
    ("alice", "mallory", "in_another_name"),
    [
        (
            "HW_alice_attempt_2026-11-20-18-00-00_backprop.ipynb",
            "HW_aaron_attempt_2026-11-20-18-00-00_",
            "HW_alice_attempt_2026-11-20-18-00-01_backprop.ipynb",
        ),
        (
            "alicesmith_7_1_backprop.ipynb",
            "aaron_9_2_",
            "alicesmith_7_3_backprop.ipynb",
        ),
        (
            "Alice Smith_7_assignsubmission_file_backprop.ipynb",
            "Aaron_9_assignsubmission_file_",
            "Alice Smith_7_assignsubmission_file_backprop.ipynb",
        ),
        ("Alice Smith - backprop.ipynb", "Aaron - ", "Alice Smith - backprop.ipynb"),
    ],
    ids=["Blackboard", "Canvas", "Moodle", "Google Classroom"],
)
def test_the_name_of_ones_own_file_is_nobody_elses(
    alice: str, mallory: str, in_another_name: str, tmp_path: Path
) -> None:
    """Where the platform writes its own words before the name that a student gave the file."""
    ben = mallory.replace("aaron", "ben").replace("Aaron", "Ben").replace("_9_", "_8_") + "b.ipynb"
    work = {ben: b"b", mallory + in_another_name: b"m"}
    with_alice = collected_in(tmp_path / "both", work | {alice: b"a"})
    without = collected_in(tmp_path / "one", work)
    assert sorted(with_alice.values()) == [b"a", b"b", b"m"]
    assert sorted(without.values()) == [b"b", b"m"]
    (hers,) = (student for student, data in with_alice.items() if data == b"a")
    assert hers not in without


LONE = [
    ("backprop_mallory_attempt_2026-11-20-18-00-00_{}", "mallory"),
    ("mallory_9_2_{}", "mallory-9"),
    ("mallory_LATE_9_2_{}", "mallory-9"),
    ("Mallory_9_assignsubmission_file_{}", "mallory-9"),
    ("Mallory_9_assignsubmission_file_/{}", "mallory-9"),
    ("Mallory - {}", "mallory"),
]


@pytest.mark.parametrize(("own", "student"), LONE)
@pytest.mark.parametrize(
    "name",
    ["backprop.ipynb", "HW_1_2_final.ipynb", "backprop - Copy.ipynb"]
    + [other.replace("allory", "lice").format("b.ipynb").replace("/", "_") for other, _ in LONE],
)
def test_who_is_alone_in_an_archive_decides_no_platform(
    own: str, student: str, name: str, tmp_path: Path
) -> None:
    """By what they call their file, which comes after the platform's own words."""
    files = {own.format(name): b"m", own.format("x" + name): b"m"}
    for number, work in enumerate((dict([*files.items()][:1]), files)):
        found = collected_in(tmp_path / str(number), work)
        assert found in ({student: b"m"}, {}), found
        if name in ("backprop.ipynb", "backprop - Copy.ipynb"):
            assert found, "nothing else could have named it"


def test_several_people_with_dashes_in_their_names_are_no_classroom(tmp_path: Path) -> None:
    files = {f"Group {n} - Ada_{n}_assignsubmission_file_b.ipynb": b"a" for n in (1, 2)}
    assert sorted(collected_in(tmp_path / "course", files)) == [
        "group_1_-_ada-1",
        "group_2_-_ada-2",
    ]


def test_a_student_may_be_called_like_an_assignment(tmp_path: Path) -> None:
    """Where a platform says so, or the roster; anybody else's folder of that name is their own."""
    handed = {f"HW_1_{user}_attempt_2026-11-20-18-00-00_x.ipynb": b"1" for user in ("ising", "zoe")}
    assert collected_in(tmp_path / "blackboard", handed) == {"ising": b"1", "zoe": b"1"}
    folders = {"ising/backprop.ipynb": b"1", "ada/backprop.ipynb": b"2"}
    _on_a_roster(tmp_path / "course", ("ising", "Ernst Ising"), ("ada", "Ada L"))
    assert _taken(tmp_path / "course", folders).written == ["ada", "ising"]
    assert _taken(tmp_path / "other", folders).written == ["ada"]


def test_a_receipt_that_a_student_wrote_is_not_believed(tmp_path: Path) -> None:
    own = "HW_eve_ben_attempt_2026-11-20-18-00-00"
    files = {
        f"{own}_backprop.ipynb": b"e",
        f"{own}.txt": b"Name: Eve (eve_ben)",
        f"{own}_x_attempt_2026-11-20-18-00-00.txt": b"Name: Ben (ben)",
    }
    assert collected_in(tmp_path / "course", files) == {"eve_ben": b"e"}


@pytest.mark.parametrize("line", ["Name: Eve (ben) ({})", "Nombre: Eve ({})\r", "Nom : (ben) ({})"])
def test_blackboards_receipt_names_the_user_in_its_last_brackets(line: str, tmp_path: Path) -> None:
    """Of whose name and language it is cannot be told what they hold."""
    files = {}
    for user in ("eve_ben", "zoe"):
        own = f"HW_1_{user}_attempt_2026-11-20-18-00-00"
        files |= {f"{own}_backprop.ipynb": b"1", f"{own}.txt": f"{line.format(user)}\n\n".encode()}
    assert collected_in(tmp_path / "course", files) == {"eve_ben": b"1", "zoe": b"1"}


def test_a_list_in_one_students_folder_is_not_believed(tmp_path: Path) -> None:
    files = {
        "mallory/submission_metadata.yml": b"submission_1: {':submitters': [{':sid': ben}]}",
        "mallory/submission_1/backprop.ipynb": b"m",
    }
    assert collected_in(tmp_path / "course", files) == {"mallory": b"m"}


def test_an_id_that_two_claim_is_nobodys(tmp_path: Path) -> None:
    """On some platforms people write their own: who came first may be the one who lies."""
    files = gradescope([("X", "ada")], [("X", "ada")])
    outcome = collect(archive(tmp_path, files), FOUND, tmp_path)
    assert not outcome.written
    assert not (tmp_path / "submitted").exists()
    why = "ada is claimed by submission_1 and submission_2"
    assert outcome.left_out == [f"submission_1: {why}", f"submission_2: {why}"]


def test_what_one_upload_makes_is_bounded(tmp_path: Path) -> None:
    zeros = bytes(19 * 2**20)
    many = zipped_bytes({f"{n}/backprop.ipynb": zeros for n in range(12)})
    files = {f"{MALLORY}/work.zip": many, f"{ALICE}/backprop.ipynb": b"{}"}
    collect(archive(tmp_path, files), FOUND, tmp_path)
    made = sum(p.stat().st_size for p in (tmp_path / "submitted").rglob("*") if p.is_file())
    assert made <= 2**20, f"{made >> 20} MB were written for {len(many) >> 10} kB"


def test_archives_within_an_upload_take_no_more_than_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A zip of zips: each is small on the line, and all of them would stay in memory."""
    monkeypatch.setattr("autograder.exchange.archive.MAX_OPENED", 2**20)
    one = zipped_bytes({"notes.bin": os.urandom(2**17)})
    many = zipped_bytes({f"{n}.zip": one for n in range(6)} | {"last/backprop.ipynb": b"{}"})
    read: list[int] = []
    inner = archives.inner

    def noted(data: bytes, file: archives.File) -> archives.Listing:
        read.append(len(data))
        return inner(data, file)

    monkeypatch.setattr(archives, "inner", noted)
    files = {f"{MALLORY}/work.zip": many, f"{ALICE}/backprop.ipynb": b"{}"}
    found = collect(archive(tmp_path, files), FOUND, tmp_path)
    assert sum(read) <= 2**20
    assert len(found.written) == 2, "what could be read counts"


def test_a_thousand_broken_archives_are_told_in_one_line(tmp_path: Path) -> None:
    many = zipped_bytes({f"{n}.zip": b"none" for n in range(1000)})
    files = {f"{MALLORY}/work.zip": many, f"{ALICE}/backprop.ipynb": b"{}"}
    (line,) = collect(archive(tmp_path, files), FOUND, tmp_path).left_out
    assert "and 997 more" in line


# ------------------------------------------------------------------------ everyone is named


@pytest.mark.parametrize(
    ("files", "student"),
    [
        ({"Class 2026/ada/backprop.ipynb": b"a", "Class 2026/ben/backprop.ipynb": b"b"}, "ada"),
        ({"ada/work.zip": zipped_bytes({"work/backprop.ipynb": b"a"})}, "ada"),
        ({"ada.zip": zipped_bytes({"x/backprop.ipynb": b"a"}), "ben/x.ipynb": b"b"}, "ada"),
        ({"all.zip": zipped_bytes({"ada/backprop.ipynb": b"a"})}, "ada"),
        ({"ada/backprop.ipynb.txt": b"a"}, "ada"),
        ({"ada/backprop.ipynb.json": b"a"}, "ada"),
        ({"ada/backprop (1).ipynb": b"a"}, "ada"),
        ({"ada/backprop.ipynb (1)": b"a"}, "ada"),
        ({"ada/backprop-Copy1.ipynb": b"a"}, "ada"),
        ({"ada\\backprop\\backprop.ipynb": b"a"}, "ada"),
        ({"anon_x7Ab3_777_backprop.ipynb": b"a"}, "anon-x7Ab3"),
        ({"LATE_anon_x7Ab3_777_backprop.ipynb": b"a"}, "anon-x7Ab3"),
        ({"van_der_waals_55_777_backprop.ipynb": b"a"}, "van_der_waals-55"),
        ({"van_der_waals_LATE_55_777_back_prop_1_2.ipynb": b"a"}, "van_der_waals-55"),
        ({"7-1 - Ada Lovelace - Nov 20, 2026 1159 PM/backprop.ipynb": b"a"}, "ada_lovelace-7"),
        ({"7-1 - Anna-Maria O - 20 November, 2026 905 AM/backprop.ipynb": b"a"}, "anna-maria_o-7"),
        ({"HW 1_ada_attempt_2026-11-20-18-00-00_backprop.ipynb": b"a"}, "ada"),
        (
            {
                "HW_1_ada_l_attempt_2026-11-20-18-00-00_backprop.ipynb": b"a",
                "HW_1_ada_l_attempt_2026-11-20-18-00-00.txt": b"Name: Ada L (ada_l)\nDate: x",
            },
            "ada_l",
        ),
        ({"Backprop/Ada Lovelace - backprop.ipynb": b"a", "Backprop/Ben B - x.ipynb": b"b"}, None),
        (
            {
                "Sheet 1/Lovelace_Ada_alovelace_301/backprop.ipynb": b"a",
                "Sheet 1/Team 3/B_Ben_bb_302/backprop.ipynb": b"b",
            },
            "alovelace",
        ),
        ({"Downloads/Sheet/ada/backprop.ipynb": b"a", "Downloads/Sheet/ben/x.ipynb": b"b"}, "ada"),
        (
            {
                "Course/Sheet 1/Abgaben/Lovelace_Ada_alovelace_301/backprop.ipynb": b"a",
                "Course/Sheet 1/Abgaben/B_Ben_bb_302/backprop.ipynb": b"b",
                "Course/Sheet 1/overview.xlsx": b"x",
            },
            "alovelace",
        ),
        (
            {
                "Sheet-2026-001/Sheet/Ada Lovelace - backprop.ipynb": b"a",
                "Sheet-2026-001/Sheet/Ben B - Copy of backprop (1).ipynb": b"b",
            },
            None,
        ),
        (
            {
                "Sheet/grades.pdf": b"%PDF",
                "Sheet/ada/backprop.ipynb": b"a",
                "Sheet/ben/backprop.ipynb": b"b",
            },
            "ada",
        ),
        (
            {
                "Sheet/ada.zip": zipped_bytes({"x/backprop.ipynb": b"a"}),
                "Sheet/ben.zip": zipped_bytes({"backprop.ipynb": b"b"}),
            },
            "ada",
        ),
        ({"van_der Waals_1_assignsubmission_file_/backprop.ipynb": b"a"}, "van_der_waals-1"),
    ],
)
def test_shapes_of_archives(files: dict[str, bytes], student: str | None, tmp_path: Path) -> None:
    found = collected_in(tmp_path / "course", files)
    assert found[student or "ada_lovelace"] == b"a"
    others = {name: data for name, data in found.items() if data != b"a"}
    assert others in ({}, {"ben": b"b"}, {"ben_b": b"b"}, {"bb": b"b"})


def test_letters_composed_or_not_are_one_student(tmp_path: Path) -> None:
    one, two = (unicodedata.normalize(form, "Zoë Ünal") for form in ("NFC", "NFD"))
    files = {f"{one}/backprop.ipynb": b"1", f"{two}/notes.txt": b"x"}
    assert collected_in(tmp_path / "course", files) == {one: b"1"}


def test_a_name_in_utf8_without_the_flag(tmp_path: Path) -> None:
    path = archive(tmp_path, {"ZZZZ/backprop.ipynb": b"1", "ben/backprop.ipynb": b"2"})
    path.write_bytes(path.read_bytes().replace(b"ZZZZ", "Zoë".encode()))
    collect(path, FOUND, tmp_path)
    assert (tmp_path / "submitted/Zoë/backprop/backprop.ipynb").is_file()


def test_everyone_is_written_or_named_with_the_reason(tmp_path: Path) -> None:
    files = {
        "Ada_1_assignsubmission_file_/backprop.ipynb": notebook(),
        "Ben_2_assignsubmission_file_/essay.pdf": b"%PDF",
        "Cy_3_assignsubmission_onlinetext_/onlinetext.html": b"<p>",
        "Di_4_assignsubmission_file_/": b"",
        "Ed_5_assignsubmission_file_/broken.zip": b"PK no",
        "Flo_6_assignsubmission_file_/cnn.ipynb": notebook(name="cnn"),
        "Gil_7_assignsubmission_file_/.ipynb_checkpoints/backprop-checkpoint.ipynb": notebook(),
    }
    outcome = collect(archive(tmp_path, files), FOUND, tmp_path)
    assert outcome.written == ["ada-1"]
    said = "\n".join(outcome.left_out)
    for who, why in {
        "Ben_2": "there is no notebook among",
        "Cy_3": "there is no notebook among",
        "Di_4": "nothing was handed in",
        "Ed_5": "not a zip file",
        "Flo_6": "is the notebook of cnn",
        "Gil_7": "nothing was handed in",
    }.items():
        assert re_line(said, who, why), f"{who} is not accounted for in:\n{said}"


def test_who_has_nothing_of_the_assignment_is_named_once(tmp_path: Path) -> None:
    files = {
        "submitted/ada/backprop/backprop.ipynb": notebook(),
        "submitted/ben/cnn/cnn.ipynb": notebook(name="cnn"),
    }
    outcome = collect(archive(tmp_path, files), FOUND, tmp_path)
    assert outcome.written == ["ada"]
    assert outcome.left_out == ["ben: there is nothing of backprop"]


PEOPLE = ("Gitte", "Bashir", "Hgaard", "Otterbein", "Jupyterson", "Nfsen")
"""Whose names begin like what programs leave behind."""


def test_what_begins_with_a_dot_is_named_where_it_may_be_work(tmp_path: Path) -> None:
    within = zipped_bytes({".work/backprop.ipynb": notebook(), ".DS_Store": b"x"})
    files = {
        "Ada_1_assignsubmission_file_/backprop.ipynb": notebook(),
        "Ada_1_assignsubmission_file_/.old/backprop.ipynb": notebook(),
        ".Ben_2_assignsubmission_file_/essay.pdf": b"%PDF",
        "Cy_3_assignsubmission_file_/.backprop.ipynb": notebook(),
        "Di_4_assignsubmission_file_/work.zip": within,
        **{f"Ed_5_assignsubmission_file_/.{n}/x.ipynb": b"" for n in range(500)},
        "Ed_5_assignsubmission_file_/backprop.ipynb": notebook(),
        "Flo_6_assignsubmission_file_/.notes/text.txt": b"no notebook",
        "Flo_6_assignsubmission_file_/backprop.ipynb": notebook(),
    }
    litter = (".DS_Store", "._x.ipynb", ".ipynb_checkpoints/x.ipynb", ".git/x.zip", ".~x.ipynb")
    litter += (".gitignore", ".bash_history", ".hg/x.ipynb", ".OTTER_LOG", ".nfs00a1")
    files |= {f".{name}_8_assignsubmission_file_/essay.pdf": b"" for name in PEOPLE}
    files |= {f"Gil_7_assignsubmission_file_/{name}": b"" for name in litter}
    files |= {name: b"" for name in litter}
    outcome = collect(archive(tmp_path, files), FOUND, tmp_path)
    assert outcome.written == ["ada-1", "ed-5", "flo-6"]
    dots = [line for line in outcome.left_out if "begins with a dot" in line]
    hidden = [line.split(": ")[0].split("/work.zip")[0] for line in dots]
    named = [f".{name}_8_assignsubmission_file_" for name in PEOPLE]
    named += [".Ben_2_assignsubmission_file_", "Ada_1_assignsubmission_file_/.old"]
    named += ["Cy_3_assignsubmission_file_/.backprop.ipynb", "Di_4_assignsubmission_file_"]
    named += ["480 more in Ed_5_assignsubmission_file_"]
    assert sorted(line for line in hidden if "Ed_5_assignsubmission_file_/" not in line) == sorted(
        named
    )
    assert len(hidden) == len(named) + 20
    within_class = {"Class/ada/x.ipynb": b"", "Class/ben/x.ipynb": b"", "Class/.cy/x.ipynb": b""}
    (tmp_path / "other").mkdir()
    outcome = collect(archive(tmp_path / "other", within_class), FOUND, tmp_path / "other")
    assert any(line.startswith("Class/.cy: ") for line in outcome.left_out)


def re_line(text: str, *parts: str) -> bool:
    return any(all(part in line for part in parts) for line in text.splitlines())


# ------------------------------------------------------------------------ which notebook


@pytest.mark.parametrize(("right", "wrong"), [("a", "z"), ("z", "a")])
def test_the_notebook_is_known_by_what_is_in_it(right: str, wrong: str, tmp_path: Path) -> None:
    """Whatever it is called: the worked one, not the untouched one, another's or a scratch pad."""
    scratch = json.dumps({"cells": [{"cell_type": "code", "source": "x = 1"}]}).encode()
    for number, other in enumerate((notebook(written=0), notebook(name="cnn"), scratch)):
        files = {f"ada/{right}.ipynb": notebook(), f"ada/{wrong}.ipynb": other}
        assert collected_in(tmp_path / str(number), files) == {"ada": notebook()}
    bare = {"cells": [{"cell_type": "code", "source": "def mse_loss(a, b):\n    return 1"}]}
    files = {f"ada/{right}.ipynb": json.dumps(bare).encode(), f"ada/{wrong}.ipynb": scratch}
    assert collected_in(tmp_path / "bare", files) == {"ada": json.dumps(bare).encode()}


def test_where_two_could_be_meant_none_is_taken(tmp_path: Path) -> None:
    files = {"ada/one.ipynb": notebook(note="1"), "ada/two.ipynb": notebook(note="2")}
    outcome = collect(archive(tmp_path, files), FOUND, tmp_path)
    assert outcome.written == []
    assert (
        "cannot be told which one is meant of ada/one.ipynb and ada/two.ipynb"
        in (outcome.left_out[0])
    )


def attempts(course_dir: Path, student: str) -> list[tuple[bytes, str]]:
    """The notebooks that are kept, with their times."""
    folders = history.folders(course_dir, "backprop", student)
    times = [folder / "timestamp.txt" for folder in folders]
    return [
        (
            (folder / "backprop.ipynb").read_bytes(),
            time.read_text(encoding="utf-8") if time.is_file() else "",
        )
        for folder, time in zip(folders, times, strict=True)
    ]


def test_of_several_attempts_the_newest_counts_and_the_others_are_kept(tmp_path: Path) -> None:
    files = {
        "7-1 - Ada L - Nov 19, 2026 905 AM/backprop.ipynb": notebook(note="old"),
        "7-1 - Ada L - Nov 20, 2026 1159 PM/backprop.ipynb": notebook(written=2, note="new"),
        "7-1 - Ada L - Nov 2, 2026 1159 PM/backprop.ipynb": notebook(note="oldest"),
    }
    assert collect(archive(tmp_path, files), FOUND, tmp_path).written == ["ada_l-7"]
    place = tmp_path / "submitted/ada_l-7/backprop"
    assert (place / "backprop.ipynb").read_bytes() == notebook(written=2, note="new")
    assert (place / "timestamp.txt").read_text() == "2026-11-20 23:59:00.000000 UTC"
    assert attempts(tmp_path, "ada_l-7") == [
        (notebook(note="oldest"), "2026-11-02 23:59:00.000000 UTC"),
        (notebook(note="old"), "2026-11-19 09:05:00.000000 UTC"),
        (notebook(written=2, note="new"), "2026-11-20 23:59:00.000000 UTC"),
    ]


def test_who_hands_in_no_notebook_at_last_is_remarked(tmp_path: Path) -> None:
    first, last = ("7-1 - Ada L - Nov 19, 2026 905 AM", "7-1 - Ada L - Nov 20, 2026 1159 PM")
    said = "the newest attempt has no notebook, and the one before it is taken: there is no"

    def remarks(newest: dict[str, bytes]) -> str:
        files = {f"{last}/{name}": data for name, data in newest.items()}
        files[f"{first}/backprop.ipynb"] = notebook()
        outcome = collect(archive(tmp_path, files), FOUND, tmp_path)
        assert outcome.written + outcome.unchanged == ["ada_l-7"]
        return "\n".join(outcome.remarks)

    assert said in remarks({"notes.txt": b"I forgot it"})
    again = {"backprop.ipynb": notebook(), "data.zip": b"no archive"}
    assert "has no notebook" not in remarks(again), "it has the same, beside what cannot be read"


def test_what_is_replaced_is_kept(tmp_path: Path) -> None:
    for data in (b"1", b"2"):
        collect(archive(tmp_path, {"ada/backprop.ipynb": data}), FOUND, tmp_path, replace=True)
    assert attempts(tmp_path, "ada") == [(b"1", ""), (b"2", "")]


def test_the_same_archive_again_is_no_attempt_and_an_older_file_is_one(tmp_path: Path) -> None:
    def take(data: bytes) -> list[bytes]:
        collect(archive(tmp_path, {"ada/backprop.ipynb": data}), FOUND, tmp_path, replace=True)
        return [one for one, _ in attempts(tmp_path, "ada")]

    assert take(b"1") == take(b"1") == []
    assert take(b"2") == take(b"2") == [b"1", b"2"]
    assert take(b"1") == [b"1", b"2", b"1"]


def test_a_notebook_with_large_pictures_is_the_same_when_it_comes_again(tmp_path: Path) -> None:
    """`grade` keeps what it has read of it, which is less."""
    made = json.loads(notebook())
    made["cells"][-1]["outputs"] = [{"output_type": "stream", "text": "x" * 2**20}]
    path = archive(tmp_path, {"ada/backprop.ipynb": json.dumps(made).encode()})
    collect(path, FOUND, tmp_path)
    kept, _ = find_notebook(tmp_path / "submitted/ada/backprop", "backprop")
    history.add(tmp_path, "backprop", "ada", kept, "")
    for replace in (False, True):
        outcome = collect(path, FOUND, tmp_path, replace)
        assert (outcome.unchanged, outcome.left_out) == (["ada"], [])
    assert len(attempts(tmp_path, "ada")) == 1


# ------------------------------------------------------------------------ when, and with whom


def stamped(folder: Path, files: dict[str, tuple[int, ...]]) -> Path:
    path = folder / "archive.zip"
    with zipfile.ZipFile(path, "w") as made:
        for name, moment in files.items():
            made.writestr(zipfile.ZipInfo(name, moment), notebook())
    os.utime(path, (time.time(), 1_800_000_000))  # January 2027
    return path


def times(course: Path) -> dict[str, str]:
    return {p.parts[-3]: p.read_text()[:19] for p in course.glob("submitted/*/*/timestamp.txt")}


def test_the_times_of_the_files_are_kept(tmp_path: Path) -> None:
    files = {
        "adal_5_1_backprop.ipynb": (2026, 11, 20, 18, 0, 0),
        "benb_LATE_6_2_backprop.ipynb": (2026, 11, 21, 7, 30, 0),
        "cyc_7_3_backprop.ipynb": (2026, 11, 19, 12, 0, 0),
    }
    made = stamped(tmp_path, files)
    remarks = collect(made, FOUND, tmp_path).remarks
    assert any("read as UTC" in line for line in remarks)
    assert "benb_LATE_6_2_backprop.ipynb: Canvas marks it late" in remarks
    wanted = {
        "adal-5": "2026-11-20 18:00:00",
        "benb-6": "2026-11-21 07:30:00",
        "cyc-7": "2026-11-19 12:00:00",
    }
    assert times(tmp_path) == wanted
    berlin = tmp_path / "berlin"
    berlin.mkdir()
    (berlin / "nbgrader_config.py").write_text(
        "c = get_config()\nc.Exchange.timezone = 'Europe/Berlin'\n"
    )
    assert not any("UTC" in line for line in collect(made, FOUND, berlin).remarks)
    assert times(berlin)["adal-5"] == "2026-11-20 17:00:00"
    (tmp_path / "nbgrader_config.py").write_text((berlin / "nbgrader_config.py").read_text())
    assert len(collect(made, FOUND, tmp_path).unchanged) == 3
    assert times(tmp_path) == times(berlin), "the zone was set afterwards"
    (tmp_path / "nbgrader_config.py").unlink()
    collect(made, FOUND, tmp_path)
    assert times(tmp_path) == times(berlin), "who came earlier does not come later"


def test_each_of_an_ilias_team_has_the_times_of_their_own_files(tmp_path: Path) -> None:
    files = {
        "Sheet/Team 1/Lovelace_Ada_ada_301/backprop.ipynb": (2026, 11, 20, 18, 0, 0),
        "Sheet/Team 1/Byron_Ben_ben_302/backprop.ipynb": (2026, 11, 21, 7, 30, 0),
    }
    collect(stamped(tmp_path, files), FOUND, tmp_path)
    assert times(tmp_path) == {"ada": "2026-11-20 18:00:00", "ben": "2026-11-21 07:30:00"}


def test_the_time_at_which_an_archive_was_made_is_nobodys(tmp_path: Path) -> None:
    files = {f"ada{n}_{n}_1_backprop.ipynb": (2026, 11, 20, 18, 0, n % 50) for n in range(20)}
    (remark,) = collect(stamped(tmp_path, files), FOUND, tmp_path).remarks
    assert times(tmp_path) == {}, "everyone is late, by the time of the download"
    assert "not believed" in remark


def test_who_is_later_than_all_others_is_late_by_the_time_of_the_file(tmp_path: Path) -> None:
    """Most hand in within the last half hour; no archive is made before its last file."""
    files = {f"ada{n}_{n}_1_backprop.ipynb": (2026, 11, 20, 18, n, 0) for n in range(20)}
    files["benb_77_1_backprop.ipynb"] = (2026, 11, 22, 9, 0, 0)
    collect(stamped(tmp_path, files), FOUND, tmp_path)
    assert times(tmp_path)["benb-77"] == "2026-11-22 09:00:00"
    assert len(times(tmp_path)) == 21


def test_gradescope_tells_time_group_and_ids(tmp_path: Path) -> None:
    metadata = b"""\
submission_1:
  :submitters:
  - :name: Ada Lovelace
    :sid: "42"
    :email: ada@example.org
  - {":name": Ben, ":sid": "43", ":email": ben@example.org}
  :created_at: 2026-11-20 18:00:00.123456789 Z
  :score: 3.0
submission_2:
  :submitters: [{":name": Cy, ":sid": "44", ":email": cy@example.org}]
  :created_at: 2026-11-21 18:00:00 -0800
submission_3:
  :submitters: [{":name": Di, ":sid": "45", ":email": di@example.org}]
"""
    files = {f"assignment_1_export/submission_{n}/x.ipynb": notebook() for n in (1, 2)}
    files["assignment_1_export/submission_metadata.yml"] = metadata
    outcome = collect(archive(tmp_path, files), FOUND, tmp_path)
    assert outcome.written == ["42", "43", "44"]
    assert outcome.left_out == ["submission_3: nothing was handed in"]
    early, late = "2026-11-20 18:00:00", "2026-11-22 02:00:00"
    assert times(tmp_path) == {"42": early, "43": early, "44": late}
    with contextlib.closing(sqlite3.connect(tmp_path / "gradebook.db")) as book:
        rows = book.execute(
            "select id, first_name, last_name, email, lms_user_id from student order by id"
        ).fetchall()
    assert rows[:2] == [
        ("42", "Ada", "Lovelace", "ada@example.org", "42"),
        ("43", "", "Ben", "ben@example.org", "43"),
    ]


def test_what_the_gradebook_knows_of_a_student_stays(tmp_path: Path) -> None:
    student = "ada_lovelace-7"
    Recorder(tmp_path, [FOUND]).know([Known(student, "Augusta King", "a@b.c", "99")])
    name = "Ada Lovelace_7_assignsubmission_file_/backprop.ipynb"
    collect(archive(tmp_path, {name: notebook()}), FOUND, tmp_path)
    with contextlib.closing(sqlite3.connect(tmp_path / "gradebook.db")) as book:
        query = "select first_name, last_name, email, lms_user_id from student"
        assert book.execute(query).fetchall() == [("Augusta", "King", "a@b.c", "99")]


# ------------------------------------------------------------------------ one student, one id


def _taken(course: Path, files: dict[str, bytes], replace: bool = False) -> Any:
    course.mkdir(exist_ok=True)
    return collect(archive(course.parent, files), FOUND, course, replace)


@pytest.mark.parametrize("name", ["علی\u200cرضا", "Ada 👩\u200d🔬", "דוד\u200f Levi"])
def test_a_name_may_have_letters_that_cannot_be_seen(name: str, tmp_path: Path) -> None:
    folder = "{}_{}_assignsubmission_file_/backprop.ipynb"
    files = {folder.format(name, 12): b"1", folder.format("Ben", 13): b"2"}
    outcome = _taken(tmp_path / "course", files)
    assert not outcome.left_out
    assert len(outcome.written) == 2
    assert all(student.isprintable() for student in outcome.written)


@pytest.mark.parametrize(
    ("known", "now"),
    [("ada", "ADA"), ("jose\u0301", "josé"), ("ada", "ada "), ("ada", "ａｄａ"), ("ada", "ada.")],
)
def test_an_id_spelt_otherwise_is_no_second_student(known: str, now: str, tmp_path: Path) -> None:
    course = tmp_path / "course"
    folder = course / "submitted" / known / "backprop"
    folder.mkdir(parents=True)
    (folder / "backprop.ipynb").write_bytes(b"1")
    files = {f"{now}/backprop.ipynb": b"2", "ben/backprop.ipynb": b"3"}
    assert _taken(course, files).written == ["ben"]
    outcome = _taken(course, files, replace=True)
    assert outcome.written == [known]
    looks_other = known == "ada" and now != "ADA"
    said = [f"{now}: taken for ada, as the course has it"] if looks_other else []
    assert outcome.remarks == said, "nobody needs a word on capitals"
    assert {path.name for path in (course / "submitted").iterdir()} == {known, "ben"}


def test_who_is_spelt_as_somebody_and_who_has_their_number_are_both_named(tmp_path: Path) -> None:
    course = tmp_path / "course"
    course.mkdir()
    Recorder(course, [FOUND]).know([Known("ada-56", "Ada", "", "55")])
    files = {"x_55_1_backprop.ipynb": b"1", "ADA_56_2_backprop.ipynb": b"2"}
    outcome = _taken(course, files)
    assert not outcome.written
    assert [line.partition(": ")[2] for line in outcome.left_out] == [
        "ada-56 is claimed by ADA_56_2_backprop.ipynb and x_55_1_backprop.ipynb"
    ] * 2


def _on_a_roster(course: Path, *people: tuple[str, ...]) -> None:
    course.mkdir()
    two = ("ada", "Ada L", "ada@x.org", "55"), ("mal", "Mal M", "mal@x.org", "56")
    Recorder(course, [FOUND]).know(Known(*one) for one in people or two)


@pytest.mark.parametrize("number", ["55", "ada"])
@pytest.mark.parametrize("with_ada", [True, False])
def test_nobody_hands_in_for_another_by_a_number_of_the_roster(
    number: str, with_ada: bool, tmp_path: Path
) -> None:
    """A student may choose the number that Gradescope tells; the address says who it is."""
    _on_a_roster(tmp_path / "course")
    groups = [[("Zed", "7703", "zed@x.org")], [("Mal M", number, "mal@x.org")]]
    groups += [[("Ada L", "7701", "ada@x.org")]] * with_ada
    outcome = _taken(tmp_path / "course", gradescope(*groups))
    assert outcome.written == ["7703"]
    both = "submission_2: its id, number, address and name are those of ada and mal"
    claimed = "submission_3: ada is claimed by submission_2 and submission_3"
    assert outcome.left_out == [both, claimed][: 1 + with_ada]


@pytest.mark.parametrize("known", ["2026/17", "../17", "../../17"])
def test_an_id_on_the_roster_that_is_no_folders_name_is_named(known: str, tmp_path: Path) -> None:
    _on_a_roster(tmp_path / "course", (known, "Ada L", "", ""), ("mal", "Mal M", "", ""))
    names = ("Ada L_1_assignsubmission_file_/x.ipynb", "Mal M_2_assignsubmission_file_/x.ipynb")
    before = {path for path in tmp_path.rglob("*") if "17" in path.name}
    outcome = _taken(tmp_path / "course", dict.fromkeys(names, b"1"))
    assert outcome.written == ["mal"]
    assert [line for line in outcome.left_out if f"{known}, its id on the roster" in line]
    assert not {path for path in tmp_path.rglob("*") if "17" in path.name} - before


def test_an_id_that_is_no_folders_name_is_named(tmp_path: Path) -> None:
    told = b"submission_1: {':submitters': [{':name': Ada L, ':sid': 2026/17}]}\n"
    files = {"export/submission_1/x.ipynb": notebook(), "export/submission_metadata.yml": told}
    outcome = _taken(tmp_path / "course", files)
    assert outcome.left_out == ["submission_1: '2026/17' can be no student's id"]


@pytest.mark.parametrize(
    ("name", "mail", "told"),
    [("Zed Z", "z@x.org", True), ("Ada L", "z@x.org", False), ("Zed Z", "ADA@x.org", False)],
)
def test_a_number_with_anothers_name_and_address_is_remarked(
    name: str, mail: str, told: bool, tmp_path: Path
) -> None:
    """A private address, or a name written otherwise, is nobody else's yet."""
    _on_a_roster(tmp_path / "course")
    outcome = _taken(tmp_path / "course", gradescope([(name, "ada", mail)]))
    assert outcome.written == ["ada"]
    remark = (
        "Zed Z, z@x.org: taken for Ada L (ada), by the number alone; what else is told of them is "
        "another's"
    )
    assert (remark in outcome.remarks) == told


def test_who_is_not_on_the_roster_is_told(tmp_path: Path) -> None:
    folder = "{}_assignsubmission_file_/x.ipynb"
    files = {folder.format("Ada Lov_700"): b"1", folder.format("Mal M_701"): b"2"}
    assert not any("roster" in line for line in _taken(tmp_path / "none", files).remarks)
    _on_a_roster(tmp_path / "course")
    outcome = _taken(tmp_path / "course", files)
    assert outcome.written == ["ada_lov-700", "mal"]
    assert "new, and not on the roster before: ada_lov-700" in outcome.remarks
    assert not any("roster" in line for line in _taken(tmp_path / "course", files).remarks)


def test_a_group_that_moodle_puts_before_a_name_is_no_part_of_it(tmp_path: Path) -> None:
    course, folder = tmp_path / "course", "{}_assignsubmission_file_/x.ipynb"
    _on_a_roster(course, ("ada", "Ada L"), ("lena", "Lena Hertz"), ("al", "Anna-Lena Hertz"))
    team = "Default group-Lena Hertz"
    names = ("Group A-1-Ada L", "Group A-1-Anna-Lena Hertz", team, "Group B-Zed Z")
    outcome = _taken(course, {folder.format(f"{n}_7{i}"): b"1" for i, n in enumerate(names)})
    assert outcome.written == ["ada", "al", "group_b-zed_z-73", "lena"]
    assert "before the names stood, of groups: Default group (1), Group A-1 (2)" in outcome.remarks
    turned = ("Default group-Hertz, Lena", "Group A-1-L, Ada", "Hertz Anna-Lena")
    outcome = _taken(course, {folder.format(f"{n}_9{i}"): b"3" for i, n in enumerate(turned)}, True)
    assert outcome.written == ["ada", "hertz_anna-lena-92", "lena"], "Li Wei is not Wei Li"
    both = ("Group A-Ada L", "Group B-Ada L")
    outcome = _taken(course, {folder.format(f"{n}_8{i}"): b"2" for i, n in enumerate(both)})
    assert outcome.written == ["group_a-ada_l-80", "group_b-ada_l-81"], "it is not told who is ada"


def test_half_of_a_name_with_a_dash_is_no_group_where_others_have_none(tmp_path: Path) -> None:
    """Moodle puts a group before everyone's name, or before nobody's."""
    course, folder = tmp_path / "course", "{}_assignsubmission_file_/x.ipynb"
    _on_a_roster(course, ("ada", "Ada L"), ("lena", "Lena Hertz"))
    names = ("Ada L", "Anna-Lena Hertz")
    outcome = _taken(course, {folder.format(f"{n}_7{i}"): b"1" for i, n in enumerate(names)})
    assert outcome.written == ["ada", "anna-lena_hertz-71"], "Lena handed in nothing"


def test_a_name_with_a_dash_that_is_alone_has_no_group(tmp_path: Path) -> None:
    """Then all names in the archive have one. A group is one where it stands before several names,
    or is more than a word."""
    folder = "{}_assignsubmission_file_/x.ipynb"
    names = {"Anna-Lena Hertz": "anna-lena_hertz-7", "Team 3-Lena Hertz": "lena"}
    for n, (name, student) in enumerate(names.items()):
        course = tmp_path / str(n)
        _on_a_roster(course, ("ada", "Ada L"), ("lena", "Lena Hertz"))
        assert _taken(course, {folder.format(f"{name}_7"): b"1"}).written == [student]
    course = tmp_path / "course"
    _on_a_roster(course, ("ada", "Ada L"), ("lena", "Lena Hertz"))
    names = ("Quarks-Ada L", "Quarks-Lena Hertz")
    outcome = _taken(course, {folder.format(f"{n}_7{i}"): b"1" for i, n in enumerate(names)})
    assert outcome.written == ["ada", "lena"]


@pytest.mark.parametrize("name", ["Sean O'Brien", "Sean O’Brien", "Sean OBrien"])
def test_a_name_is_known_without_the_signs_that_moodle_leaves_out(
    name: str, tmp_path: Path
) -> None:
    _on_a_roster(tmp_path / "course", ("sob", name))
    files = {"Sean OBrien_12_assignsubmission_file/x.ipynb": b"1"}
    assert _taken(tmp_path / "course", files).written == ["sob"]


@pytest.mark.parametrize(
    "name",
    [
        "{}-1 - {} - 20. Dez. 2026 1805/backprop.ipynb",
        "{}-1 - {} - 20 de noviembre de 2026 1805/backprop.ipynb",
        "{}-1 - {}- Dec 1, 2026 105 PM - backprop.ipynb",
    ],
)
def test_brightspace_is_known_in_any_language_and_without_folders(
    name: str, tmp_path: Path
) -> None:
    files = {name.format(7, "Ada Lovelace"): b"1", name.format(8, "Ben B"): b"2"}
    outcome = _taken(tmp_path / "course", files)
    assert outcome.written == ["ada_lovelace-7", "ben_b-8"]
    assert str(outcome.remarks).count("is no time") == ("Dec" not in name) * 2
    assert len(times(tmp_path / "course")) == ("Dec" in name) * 2


def test_a_sheet_with_numbers_in_its_name_is_nobody_in_brightspace(tmp_path: Path) -> None:
    files = {f"2026-11 - Sheet 3 - WS 2026/{name}/backprop.ipynb": b"1" for name in ("ada", "ben")}
    assert _taken(tmp_path / "course", files).written == ["ada", "ben"]


def test_a_moment_in_a_name_is_not_when_somebody_handed_in(tmp_path: Path) -> None:
    name = "Mal - Jan 1, 2020 100 AM"
    files = {f"7-1 - {name} - Dec 1, 2026 105 PM/backprop.ipynb": b"1"}
    _taken(tmp_path / "course", files)
    assert [*times(tmp_path / "course").values()] == ["2026-12-01 13:05:00"]


def test_who_is_alone_in_ilias_is_known_by_the_login(tmp_path: Path) -> None:
    files = {"Lovelace_Ada_alovelace_301/backprop.ipynb": b"1"}
    _on_a_roster(tmp_path / "course", ("alovelace", "Ada Lovelace"))
    assert _taken(tmp_path / "course", files).written == ["alovelace"]


def test_who_is_on_the_roster_hands_in_for_nobody_else_with_the_first_file(tmp_path: Path) -> None:
    """One folder around everything is the class's only where it is nobody's."""
    files = {f"mal/{name}/backprop.ipynb": notebook(note=name) for name in ("ada", "ben")}
    _on_a_roster(tmp_path / "course")
    outcome = _taken(tmp_path / "course", files)
    assert not outcome.written
    assert outcome.left_out[0].startswith("mal: it cannot be told which one is meant")


def test_gradescopes_list_may_hold_objects_of_rubys(tmp_path: Path) -> None:
    people = b"""\
submission_1:
  :submitters: [{":name": Ada, ":sid": "42"}]
  :created_at: !ruby/object:ActiveSupport::TimeWithZone
    utc: &1 2026-11-20 18:00:00.123456789 Z
    zone: &2 !ruby/object:ActiveSupport::TimeZone {name: America/Los_Angeles}
    time: 2026-11-20 10:00:00.123456789 Z
  :results: !ruby/hash:ActiveSupport::HashWithIndifferentAccess {score: 1}
"""
    files = {"export/submission_1/x.ipynb": b"1", "export/submission_metadata.yml": people}
    assert _taken(tmp_path / "course", files).written == ["42"]
    assert times(tmp_path / "course") == {"42": "2026-11-20 18:00:00"}


@pytest.mark.parametrize("first", ["Gradescope", "Brightspace"])
def test_a_number_that_another_platform_gave_is_nobodys_here(first: str, tmp_path: Path) -> None:
    """Each counts its users from one on: Mallory's in Canvas may be Ada's elsewhere."""
    before = {
        "Gradescope": gradescope([("Ada L", "55", "a@x.org")]),
        "Brightspace": {"55-1 - Ada L - Nov 3, 2026 1159 PM/x.ipynb": b"1"},
    }
    (ada,) = _taken(tmp_path / "course", before[first]).written
    files = {"mallory_55_7_x.ipynb": b"2", "ben_56_8_x.ipynb": b"3"}
    outcome = _taken(tmp_path / "course", files, replace=True)
    assert outcome.written == ["ben-56", "mallory-55"]
    assert _taken(tmp_path / "course", before[first]).unchanged == [ada], "there it is still hers"


@pytest.mark.parametrize("later", ["Ada L_700_assignsubmission_file_", "1-1 - Ada L"])
def test_a_platforms_number_is_known_when_another_one_was_used_since(
    later: str, tmp_path: Path
) -> None:
    course = tmp_path / "course"
    later = later if "_" in later else f"{later} - Nov 3, 2026 1159 PM"
    assert _taken(course, gradescope([("Ada L", "55", "a@x.org")])).written == ["55"]
    assert _taken(course, {f"{later}/x.ipynb": b"2"}, replace=True).written == ["55"]
    files = {"mallory_55_7_x.ipynb": b"2", "ben_56_8_x.ipynb": b"3"}
    assert _taken(course, files).written == ["ben-56", "mallory-55"]
    known = numbers(course, "Canvas", "backprop")
    assert [known.of("55", "55"), known.of("ben-56", "56")] == ["", "56"]


def test_of_two_with_one_name_moodles_number_tells_the_one_who_was_there(tmp_path: Path) -> None:
    _on_a_roster(tmp_path / "course")
    folder = "{}_assignsubmission_file_/x.ipynb"
    first = {folder.format("Ada L_700"): b"1", folder.format("Mal M_701"): b"2"}
    assert _taken(tmp_path / "course", first).written == ["ada", "mal"]
    second = {folder.format("Ada L_700"): b"3", folder.format("Ada L_702"): b"4"}
    assert _taken(tmp_path / "course", second, replace=True).written == ["ada", "ada_l-702"]
    anew = {folder.format("Mal M_700"): b"5", folder.format("Zed Z_701"): b"6"}
    outcome = _taken(tmp_path / "course", anew, replace=True)
    assert outcome.written == ["mal", "zed_z-701"], "an assignment that Moodle numbers anew"
    assert "Mal M: the number was that of Ada L (ada) before" in outcome.remarks


@pytest.mark.parametrize(("name", "remarked"), [("Mal M", 0), ("Zed Z", 1), ("L. Ada Z", 0)])
def test_a_number_of_one_with_the_name_of_another_is_neithers(
    name: str, remarked: int, tmp_path: Path
) -> None:
    """Brightspace tells no address, and the roster's numbers may be another platform's."""
    _on_a_roster(tmp_path / "course")
    folder = f"55-1 - {name} - Nov 3, 2026 1159 PM"
    outcome = _taken(tmp_path / "course", {f"{folder}/x.ipynb": b"1"})
    if name == "Mal M":
        assert not outcome.written
        why = f"{folder}: its id, number, address and name are those of ada and mal"
        assert outcome.left_out == [why]
    else:
        assert outcome.written == ["ada"]
    assert sum("by the number alone" in remark for remark in outcome.remarks) == remarked


@pytest.mark.parametrize(
    ("called", "number", "written", "said"),
    [
        ("lada", 7, ["ada"], "on the roster by the name alone: lada-7 (ada)"),
        ("zeman", 7, ["zeman-7"], "new, and not on the roster before: zeman-7"),
        ("mmal", 55, [], ""),
        ("zzed", 55, ["ada"], "zzed-55: taken for Ada L (ada), by the number alone"),
        ("ladamaria", 55, ["ada"], ""),
        ("loliver", 55, ["ada"], "loliver-55: taken for Ada L (ada), by the number alone"),
    ],
)
def test_canvas_name_in_one_word_is_a_name(
    called: str, number: int, written: list[str], said: str, tmp_path: Path
) -> None:
    """A roster without Canvas' numbers, or with those of another platform."""
    _on_a_roster(tmp_path / "course")
    outcome = _taken(tmp_path / "course", {f"{called}_{number}_9_x.ipynb": b"1"})
    assert outcome.written == written
    assert len(outcome.left_out) == (not written)
    remarks = [line for line in outcome.remarks if "not believed" not in line]
    assert said in "".join(remarks)
    assert len(remarks) == bool(said)


def test_nobody_hands_in_for_another_by_a_name_with_a_number_in_canvas(tmp_path: Path) -> None:
    """Names end before the first number, and whoever may change the own name may put one there."""
    files = {"lada_7_1_x.ipynb": b"1", "mmal_8_2_x.ipynb": b"2"}
    both = {**files, "mmal_7_8_3_x.ipynb": b"3"}
    outcome = _taken(tmp_path / "one", both)
    assert outcome.written == ["mmal-8"]
    assert len(outcome.left_out) == 1
    assert "claim the same id 7" in outcome.left_out[0]
    course = tmp_path / "course"
    assert _taken(course, files).written == ["lada-7", "mmal-8"]
    outcome = _taken(course, {"lada_7_8_3_x.ipynb": b"3"}, replace=True)
    assert outcome.left_out == ["lada_7_8_3_x.ipynb: it may be that of 7 or of 8"]
    outcome = _taken(course, {"lada_7_9_3_x.ipynb": b"3"}, replace=True)
    assert outcome.written == ["lada-7"]
    assert any("lada_7_9_3_x.ipynb: taken for 7's" in line for line in outcome.remarks)
    odd = {"anon_a(_1_x.ipynb": b"1", "anon_b_2_x.ipynb": b"2"}
    assert _taken(course, odd).written == ["anon-a(", "anon-b"]


def test_a_number_and_a_name_with_another_address_are_remarked(tmp_path: Path) -> None:
    """Students choose the number on Gradescope, and the name."""
    _on_a_roster(tmp_path / "course")
    outcome = _taken(tmp_path / "course", gradescope([("Ada L", "55", "m@x.org")]))
    assert outcome.written == ["ada"]
    assert "known by the number, with another address: Ada L, m@x.org (ada)" in outcome.remarks


def test_a_name_of_several_lines_tells_nothing_in_lines_of_its_own(tmp_path: Path) -> None:
    _on_a_roster(tmp_path / "course")
    outcome = _taken(tmp_path / "course", gradescope([("Zed\nleft out: mal", "55")]))
    assert any("Zed left out: mal: taken for Ada L" in line for line in outcome.remarks)
    assert not any("\n" in line for line in outcome.remarks)


def test_of_two_with_one_name_a_number_from_elsewhere_is_remarked(tmp_path: Path) -> None:
    course = tmp_path / "course"
    _on_a_roster(course, ("k1", "Kim Lee", "", "52"), ("k2", "Kim Lee"))
    folder = {"52-1 - Kim Lee - Nov 3, 2026 1159 PM/x.ipynb": b"1"}
    outcome = _taken(course, folder)
    assert outcome.written == ["k1"]
    assert "Kim Lee: taken for Kim Lee (k1) by the number; two have the name" in outcome.remarks
    again = _taken(course, folder).remarks
    assert not any("two have the name" in line for line in again), "the platform has told it since"


def test_namesakes_with_one_number_on_two_platforms_are_remarked(tmp_path: Path) -> None:
    folder = {"7-1 - Kim Lee - Nov 3, 2026 1159 PM/x.ipynb": b"1"}
    assert "kim" not in "".join(_taken(tmp_path / "course", folder).remarks)
    assert "kim" not in "".join(_taken(tmp_path / "course", folder).remarks)
    other = {"Kim Lee_7_assignsubmission_file_/x.ipynb": b"2"}
    for told in (1, 0):
        outcome = _taken(tmp_path / "course", other, replace=True)
        assert [*outcome.written, *outcome.unchanged] == ["kim_lee-7"]
        assert sum("its number is from elsewhere" in line for line in outcome.remarks) == told


def test_a_file_handed_in_twice_came_in_the_first_time(tmp_path: Path) -> None:
    """As it does where the second comes with a later archive."""
    folder = "7-1 - Ada L - Nov {}, 2026 1159 PM/x.ipynb"
    files = {folder.format(day): b"1" for day in (3, 9)}
    _taken(tmp_path / "course", files)
    (stamp,) = (tmp_path / "course").rglob("timestamp.txt")
    assert stamp.read_text() == "2026-11-03 23:59:00.000000 UTC"


@pytest.mark.parametrize("more", [False, True])
def test_a_zone_that_is_set_afterwards_counts_for_earlier_attempts_too(
    more: bool, tmp_path: Path
) -> None:
    """For the best one may be among them. `more`: and another attempt has come since."""
    course = tmp_path / "course"
    folder = "7-1 - Ada L - Nov {}, 2026 1159 PM/x.ipynb"
    files = {folder.format(day): b"%d" % day for day in (3, 9)}
    _taken(course, files)
    (place,), (first,) = course.glob("submitted/*/*"), course.glob("attempts/*/*/1")
    for file in first.iterdir():  # as where it is the best one, and counts
        (place / file.name).write_bytes(file.read_bytes())
    history.save_policy(course, "backprop", "best")
    (course / "nbgrader_config.py").write_text(
        "c = get_config()\nc.Exchange.timezone = 'Europe/Berlin'\n"
    )
    if more:
        files[folder.format(12)] = b"12"
    _taken(course, files, replace=more)
    stamps = sorted((course / "attempts").rglob("timestamp.txt"))
    assert [path.read_text()[8:19] for path in stamps] == [
        f"{day:02} 22:59:00" for day in ((3, 9, 12) if more else (3, 9))
    ]
    counts = (place / "timestamp.txt").read_text()
    assert counts[8:19] == ("12 22:59:00" if more else "03 22:59:00")


def test_who_has_left_comes_back_under_no_other_id(tmp_path: Path) -> None:
    _on_a_roster(tmp_path / "course")
    save_dropped(tmp_path / "course", {"ada": "2026-11-20"})
    folder = "{}_assignsubmission_file_/backprop.ipynb"
    files = {folder.format("Ada L_700"): b"1", folder.format("Mal M_701"): b"2"}
    outcome = _taken(tmp_path / "course", files)
    assert outcome.written == ["ada", "mal"]
    assert "ada: has left the course and is not graded" in outcome.remarks


def test_a_name_is_known_however_its_accents_are_spelt(tmp_path: Path) -> None:
    course = tmp_path / "course"
    course.mkdir()
    Recorder(course, [FOUND]).know([Known("jose", "Jose\u0301 Nun\u0303ez")])
    files = {"José Nuñez_1_assignsubmission_file_/backprop.ipynb": b"1"}
    assert _taken(course, files).written == ["jose"]


def test_a_day_that_may_be_two_is_remarked_and_costs_nobody_the_id(tmp_path: Path) -> None:
    name = "{}-7 - {} - 5.11.2026 1805/backprop.ipynb"
    files = {name.format(12, "Ada Lovelace"): b"1", name.format(13, "Ben"): b"2"}
    outcome = _taken(tmp_path / "course", files)
    assert outcome.written == ["ada_lovelace-12", "ben-13"]
    assert str(outcome.remarks).count("may be two days") == 2
    files = {"submitted/ada/backprop/backprop.ipynb": b"1"}
    files["submitted/ada/backprop/timestamp.txt"] = b"01.02.2026 10:00"
    (remark,) = _taken(tmp_path / "another", files).remarks
    assert remark.startswith("ada: timestamp.txt may be two days")


def test_a_name_that_several_have_makes_new_students_and_is_remarked(tmp_path: Path) -> None:
    folder = "Kim Lee_{}_assignsubmission_file_/backprop.ipynb"
    course = tmp_path / "course"
    outcome = _taken(course, {folder.format(1): b"1", folder.format(2): b"2"})
    assert "Kim Lee" not in str(outcome.remarks)
    outcome = _taken(course, {folder.format(3): b"1", folder.format(4): b"2"})
    assert outcome.written == ["kim_lee-3", "kim_lee-4"]
    assert str(outcome.remarks).count("Kim Lee does not tell who") == 2


def test_a_lone_folder_that_may_be_a_classs_is_remarked(tmp_path: Path) -> None:
    (remark,) = _taken(tmp_path / "one", {"homework1/ada/backprop.ipynb": b"1"}).remarks
    assert "the archive's only folder" in remark
    assert not _taken(tmp_path / "two", {"ada/backprop/backprop.ipynb": b"1"}).remarks
    beside = {"ada/backprop.ipynb": b"1", "ada/plots/loss.png": b"2"}
    assert not _taken(tmp_path / "three", beside).remarks


def test_what_lies_beside_students_in_nbgraders_tree_is_no_student(tmp_path: Path) -> None:
    files = {"submitted/readme.txt": b"", "submitted/ada/notes.txt": b""}
    files["submitted/ada/backprop/backprop.ipynb"] = b"1"
    assert _taken(tmp_path / "course", files).written == ["ada"]


def test_of_a_group_nobody_is_lost_because_one_is_claimed(tmp_path: Path) -> None:
    ada, ben = ("Ada", "1"), ("Ben", "2")
    outcome = _taken(tmp_path / "course", gradescope([ada], [ada, ben]))
    assert outcome.written == ["2"]
    why = "1 is claimed by submission_1 and submission_2"
    assert outcome.left_out == [f"submission_1: {why}", f"submission_2: {why}"]


def test_archives_one_in_another_end(tmp_path: Path) -> None:
    data = b""
    for _ in range(500):
        held = io.BytesIO()
        with zipfile.ZipFile(held, "w") as zipped:
            zipped.writestr("a.zip", data)
        data = held.getvalue()
    (tmp_path / "archive.zip").write_bytes(data)
    (tmp_path / "course").mkdir()
    outcome = collect(tmp_path / "archive.zip", FOUND, tmp_path / "course")
    assert len(outcome.left_out) == 1


def test_a_folder_in_an_archives_place_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(CourseError, match="is a folder"):
        collect(tmp_path, FOUND, tmp_path)


# ------------------------------------------------------------------------ what stands in the way


@pytest.mark.parametrize("kind", ["a link", "a folder"])
def test_what_stands_in_the_place_of_a_notebook_is_its_students_matter(
    kind: str, tmp_path: Path
) -> None:
    course = tmp_path / "course"
    folder = course / "submitted" / "ada" / "backprop"
    folder.mkdir(parents=True)
    place = folder / "backprop.ipynb"
    place.symlink_to("/etc/passwd") if kind == "a link" else place.mkdir()
    files = {"ada/backprop.ipynb": b"1", "ben/backprop.ipynb": b"2"}
    outcome = _taken(course, files, replace=True)
    assert outcome.written == ["ben"]
    assert len(outcome.left_out) == 1
    assert list(records.collected(course, "backprop").left_out) == ["ada"], "for the report"
    kept = [path.read_bytes() for path in (course / "attempts").rglob("*") if path.is_file()]
    assert not any(b"root:" in data for data in kept), "what a link leads to is nobody's attempt"


def test_nobodys_folder_leads_into_anothers(tmp_path: Path) -> None:
    course = tmp_path / "course"
    files = {"ada/backprop.ipynb": b"1", "ben/backprop.ipynb": b"2"}
    _taken(course, files)
    (course / "submitted" / "eve").mkdir()
    (course / "submitted" / "eve" / "backprop").symlink_to("../ada/backprop")
    (course / "submitted" / "eva").symlink_to("ada")
    more = {"eva/backprop.ipynb": b"4", "eve/backprop.ipynb": b"3"}
    outcome = _taken(course, more | files, replace=True)
    assert not outcome.written
    assert (course / "submitted/ada/backprop/backprop.ipynb").read_bytes() == b"1"


class Killed(BaseException):
    pass


@pytest.fixture
def stop(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Before which file that is written collecting is stopped, of those to come; -1 before none."""
    from autograder import files as whole
    from autograder import results
    from autograder.exchange import collect as module

    left = [-1]

    def write(path: Path, data: bytes) -> None:
        if not left[0]:
            raise Killed
        left[0] -= 1
        whole.write_atomically(path, data)

    for place in (module, results, history):
        monkeypatch.setattr(place, "write_atomically", write)
    return left


HANDED = "Backprop_{}_attempt_2026-11-0{}-10-10-10_backprop.ipynb"


def state(course: Path) -> dict[str, bytes]:
    folders = ("submitted", "attempts", "collected")
    found = (path for folder in folders for path in course.glob(f"{folder}/**/*"))
    return {str(p.relative_to(course)): p.read_bytes() for p in found if p.is_file()}


def test_who_was_stopped_while_collecting_begins_anew_and_has_everything(
    tmp_path: Path, stop: list[int]
) -> None:
    """At each file that is written, once."""
    name = HANDED
    handed = {name.format("ada", 3): b"1", name.format("ada", 4): b"2", name.format("b", 3): b"3"}
    _taken(tmp_path / "whole", handed)
    wanted = state(tmp_path / "whole")
    for number in range(len(wanted)):
        course = tmp_path / str(number)
        stop[0] = number
        with pytest.raises(Killed):
            _taken(course, handed)
        stop[0] = -1
        _taken(course, handed)
        assert state(course) == wanted, f"stopped at file {number}"


def test_who_was_stopped_while_replacing_leaves_no_notebook_with_anothers_time(
    tmp_path: Path, stop: list[int]
) -> None:
    first, newer = {HANDED.format("ada", 3): b"1"}, {HANDED.format("ada", 4): b"2"}
    _taken(tmp_path / "whole", first)
    _taken(tmp_path / "whole", newer, replace=True)
    wanted = state(tmp_path / "whole")
    for number in range(7):  # two attempts and the one that counts, each with a time, and the note
        course = tmp_path / str(number)
        _taken(course, first)
        stop[0] = number
        with pytest.raises(Killed):
            _taken(course, newer, replace=True)
        stop[0] = -1
        _taken(course, newer, replace=True)
        assert state(course) == wanted, f"stopped at file {number}"


def test_of_an_attempt_that_was_half_kept_no_time_stays(tmp_path: Path) -> None:
    half = history.place(tmp_path, "backprop", "ada") / "1"
    half.mkdir(parents=True)
    (half / "timestamp.txt").write_text("2026-11-20 18:00:00 UTC")
    assert history.add(tmp_path, "backprop", "ada", b"1", "") == half
    assert [path.name for path in half.iterdir()] == ["backprop.ipynb"]


def test_two_who_collect_at_once_lose_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from autograder.exchange import collect as module

    course, again = tmp_path / "course", module.listing
    _taken(course, {"eve_57_3_notes.txt": b"", "x_1_1_backprop.ipynb": b"0"})

    def meanwhile(*args: Any) -> Any:
        monkeypatch.setattr(module, "listing", again)
        (tmp_path / "other").mkdir()
        files = {"ben_56_2_backprop.ipynb": b"1", "eve_57_4_backprop.ipynb": b"2"}
        collect(archive(tmp_path / "other", files), FOUND, course)
        return again(*args)

    monkeypatch.setattr(module, "listing", meanwhile)
    _taken(course, {"ada_55_1_backprop.ipynb": b"3", "cy_58_1_notes.txt": b""})
    found = records.collected(course, "backprop")
    assert found.students.keys() == {"ada-55", "ben-56", "eve-57", "x-1"}
    assert found.left_out.keys() == {"cy-58"}


def test_of_two_who_collect_at_once_the_second_sees_what_the_first_wrote(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else each would find the place empty, and one file would take the other's unseen."""
    from autograder.exchange import collect as module

    course, write = tmp_path / "course", module.write_atomically
    course.mkdir()
    outcomes: list[Any] = []
    second = threading.Thread(
        target=lambda: outcomes.append(
            collect(archive(tmp_path, {"ada/backprop.ipynb": b"2"}), FOUND, course)
        )
    )

    def slowly(path: Path, data: bytes) -> None:
        if data == b"1":
            second.start()
            second.join(0.5)
        write(path, data)

    monkeypatch.setattr(module, "write_atomically", slowly)
    assert _taken(course, {"ada/backprop.ipynb": b"1"}).written == ["ada"]
    second.join()
    assert "ada has handed in already" in outcomes[0].left_out[0]
    assert (course / "submitted/ada/backprop/backprop.ipynb").read_bytes() == b"1"


def test_who_was_refused_and_came_again_is_named_no_more(tmp_path: Path) -> None:
    """Gradescope counts all files: another one of the same student has another name."""

    def take(*ids: str) -> Any:
        groups = ([(f"X{n}", one)] for n, one in enumerate(ids))
        return _taken(tmp_path / "course", gradescope(*groups, first=30 if "8" in ids else 1))

    assert len(take("7", "7", "9").left_out) == 2
    assert list(records.collected(tmp_path / "course", "backprop").left_out) == ["7"]
    assert take("7", "8", "9").written == ["7", "8"]
    assert not records.collected(tmp_path / "course", "backprop").left_out


def test_what_the_platforms_call_everybody_is_not_forgotten_where_it_cannot_be_read(
    tmp_path: Path,
) -> None:
    """By a slip of the hand, say, in the file that has it."""
    course, name = tmp_path / "course", "{}_{}_assignsubmission_file_/backprop.ipynb"
    _taken(course, {name.format("Ada", 7): b"1"})
    path = course / "collected" / "backprop.json"
    damaged = path.read_bytes()[:-2]
    path.write_bytes(damaged)
    with pytest.raises(CourseError, match=r"backprop\.json cannot be read"):
        _taken(course, {name.format("Ben", 8): b"2"})
    assert path.read_bytes() == damaged


def test_a_student_who_was_left_out_and_came_again_is_named_no_more(tmp_path: Path) -> None:
    course = tmp_path / "course"
    _taken(course, {"ada_55_1_notes.txt": b"", "ben_56_2_backprop.ipynb": b"1"})
    assert list(records.collected(course, "backprop").left_out) == ["ada-55"]
    _taken(course, {"ada_55_3_backprop.ipynb": b"2", "ben_56_2_backprop.ipynb": b"1"})
    assert not records.collected(course, "backprop").left_out
