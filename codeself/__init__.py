"""codeself: can a coding model improve on a declared Python task distribution by practising with test feedback?"""

__version__ = "0.1.0"
