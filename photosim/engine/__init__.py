"""From a checked netlist to S-parameters: flat graph, elimination plan, values, solution, gradients.

`compiled` holds what one topology needs; `solve` runs a plan; `plan` says what a plan is and `plan_search`
finds one.
"""
