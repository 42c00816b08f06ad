"""The message of a failed check: what was called, what came back, what to look at."""

from __future__ import annotations

from .compare import Call, CheckFailed, short


def describe(
    exercise: str, title: str, failure: CheckFailed, call: Call | None, *, public: bool
) -> str:
    """A few lines, ready to print.

    A hidden check's message names the property that failed; inputs, values and a student's
    own exception text stay out of it.
    """
    parts = details(exercise, failure, call, public=public)
    return "\n".join([f"{exercise}  ✗ {title}", *(f"   {word:<9} {text}" for word, text in parts)])


def details(
    exercise: str, failure: CheckFailed, call: Call | None, *, public: bool
) -> list[tuple[str, str]]:
    """The message's lines below its title, each a word and its text, in their fixed order."""
    name = call.function if call is not None else exercise
    parts = [("called", str(call) if public and call is not None else "")]
    parts += [("problem", _sentence(name, failure))]
    if public:
        parts += [("returned", "" if failure.returned is None else short(failure.returned))]
        parts += [("expected", "" if failure.expected is None else short(failure.expected))]
        parts += [("detail", failure.detail)]
    parts += [("hint", failure.hint if public or failure.kind == "shape" else "")]
    return [(word, text[:300]) for word, text in parts if text]


def _sentence(name: str, failure: CheckFailed) -> str:
    if failure.kind == "property":
        return failure.text
    if failure.kind == "value" and failure.expected is not None:
        return ""
    return f"{name} {failure.text}"
