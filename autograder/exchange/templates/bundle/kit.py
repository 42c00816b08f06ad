# @title This notebook's helpers, packed. Run this cell and leave it as it is.
# They are coursekit, figures.py, public_checks.py and expected.json. Where the notebook lies among
# these files, as in the whole folder of the course, those are used instead.
def _unpack(packed: str) -> None:
    import atexit
    import base64
    import io
    import re
    import shutil
    import sys
    import tempfile
    import zipfile
    from pathlib import Path

    if "coursekit" in sys.modules:
        return
    kit, checks = zipfile.ZipFile(io.BytesIO(base64.b64decode(packed))), "public_checks.py"
    folder = "" if all(Path(name).is_file() for name in kit.namelist()) else "new"
    texts = [kit.read(checks), b"" if folder else Path(checks).read_bytes()]
    one, other = (set(re.findall(rb"^def test_(\w+?)__", text, re.M)) for text in texts)
    if one != other:  # nothing lies here, not all of it, or another notebook's
        folder = tempfile.mkdtemp(prefix="coursekit-")
        atexit.register(shutil.rmtree, folder, True)
        kit.extractall(folder)
    sys.path.insert(0, folder)


_unpack("""
$packed
""")
