"""DFA by microring weight banks (filipovich2022): `system` is the entry; its hardware and figures."""
