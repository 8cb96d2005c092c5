"""The colours of figures and pages, on light and on dark ground."""

from __future__ import annotations

# Role: stand-in colour (also the value on light ground), value on dark ground. Chosen to keep apart for
# readers with the common forms of colour blindness, and by lightness in print.
PALETTE = {
    "ink": ("#20262e", "#e4e7eb"),
    "muted": ("#646d78", "#9aa4b0"),
    "grid": ("#dfe3e8", "#363d47"),
    "sampled": ("#2a6496", "#6fb1e4"),
    "greedy": ("#b4531f", "#f0965f"),
    "hidden": ("#7f8a96", "#8b96a3"),
    "plain": ("#c3cad2", "#4b5561"),
    "failed": ("#b23a48", "#e57c88"),
    "error": ("#7a4e9b", "#b794d6"),
    "stopped": ("#a8872b", "#d9bb62"),
}


def palette_css() -> tuple[str, str]:
    """The variables' declarations, for light and for dark ground."""
    light = "".join(f"--{role}:{value};" for role, (value, _) in PALETTE.items())
    dark = "".join(f"--{role}:{value};" for role, (_, value) in PALETTE.items())
    return light, dark
