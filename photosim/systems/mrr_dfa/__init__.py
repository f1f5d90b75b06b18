"""DFA by microring weight banks (filipovich2022): `system` is the entry, with hardware and figures beside it."""
