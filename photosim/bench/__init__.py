"""How fast photosim is on this machine, against plain solvers written for the purpose.

`circuits` holds the circuits, `references` the plain solvers, `measuring` the
clock and what the numbers were measured on, `comparing` the comparison that
`photosim bench` shows.
"""
