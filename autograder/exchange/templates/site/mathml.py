"""Formulas as MathML, which browsers show and read aloud themselves: no script from elsewhere."""

from typing import Any

from docutils import nodes
from latex2mathml.converter import convert


def setup(app: Any) -> dict[str, bool]:
    """Sphinx calls this."""
    app.add_html_math_renderer("mathml", (inline, None), (block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def mathml(formula: str, display: str) -> str:
    """The formula; the converter leaves angle brackets of a stated size as they were typed."""
    found: str = convert(formula, display=display)
    return found.replace(r">\langle<", ">⟨<").replace(r">\rangle<", ">⟩<")


def inline(writer: Any, node: nodes.Element) -> None:
    writer.body.append(mathml(node.astext(), "inline"))
    raise nodes.SkipNode


def block(writer: Any, node: nodes.Element) -> None:
    formula = mathml(node.astext(), "block")
    # The theme makes room for a number at the right, and would put the formula there.
    style = "justify-content: center; overflow-x: auto; margin-bottom: 1rem"
    writer.body.append(f'<div class="math" tabindex="0" style="{style}">{formula}</div>\n')
    raise nodes.SkipNode
