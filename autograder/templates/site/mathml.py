"""Formulas as MathML, which browsers show and read aloud themselves: no script from elsewhere."""

from docutils import nodes
from latex2mathml.converter import convert


def setup(app):
    """Sphinx calls this."""
    app.add_html_math_renderer("mathml", (inline, None), (block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def mathml(formula, display):
    """The formula; the converter leaves angle brackets of a stated size as they were typed."""
    found = convert(formula, display=display)
    return found.replace(r">\langle<", ">⟨<").replace(r">\rangle<", ">⟩<")


def inline(writer, node):
    writer.body.append(mathml(node.astext(), "inline"))
    raise nodes.SkipNode


def block(writer, node):
    formula = mathml(node.astext(), "block")
    writer.body.append(f'<div class="math" tabindex="0">{formula}</div>\n')
    raise nodes.SkipNode
