"""The cage's levels, strongest first; a file of its own, since a machine without a cage has them
in its options."""

from typing import Literal, get_args

Level = Literal["full", "landlock", "limits"]
LEVELS: tuple[Level, ...] = get_args(Level)
