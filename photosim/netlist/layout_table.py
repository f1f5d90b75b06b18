"""Cells that layout tools draw, and what they are here: components under other names, or layout only.

gdsfactory 9.51, cspdk 2.1 and ubcpdk 3.3 wrote the names. A mapping file comes first: it says the same of the
cells of any kit (`cells.py`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from photosim.model import registry


@dataclass(frozen=True)
class Rule:
    """What a cell of a layout is.

    component: the component that it is. settings: the component's settings as expressions over the values of
    the layout; of several sets the first whose values are all given. nulls: what a setting that is null means
    where neither info nor cross-section says it. widths: the settings that hold the width of the guide at
    each port. ports: the component's port for each of the cell's that has another name. instead: whether the
    rule holds although the file has a netlist of the cell, since what that draws is not its circuit. synonym:
    whether the name is one that people try, not one that a layout tool draws.
    """

    component: str
    settings: Mapping[str, Any] | tuple[Mapping[str, Any], ...] = field(default_factory=dict)
    nulls: Mapping[str, str] = field(default_factory=dict)
    widths: Mapping[str, str] = field(default_factory=dict)
    ports: Mapping[str, str] = field(default_factory=dict)
    instead: bool = False
    synonym: bool = False

    def choices(self) -> tuple[Mapping[str, Any], ...]:
        """Return the sets of settings to try, the first whose values are all there counts."""
        return self.settings if isinstance(self.settings, tuple) else (self.settings,)


_ENDS = {"o1": "width1", "o2": "width2"}
_HEATER = Rule("straight_heater", {"length": "length"})
_MEANDER = Rule("straight_heater", {"length": "info_length"})
_BY_LENGTH = Rule("bend_s", {"length": "length"})
_TAPER = Rule("taper", widths=_ENDS)
_TAPER_OF_LENGTH = Rule("taper", {"length": "length"}, widths=_ENDS)
_GRATING = Rule("grating_coupler", {"wl0": "wavelength"})
_GRATING_AS_IT_IS = Rule("grating_coupler")

RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "bend_euler": Rule("bend_euler", {"angle": "abs(angle)"}),
        "bend_circular": Rule("bend_circular", {"angle": "abs(angle)"}),
        "bend_s": Rule("bend_s", ({"length": "length"}, {"dx": "size_1", "dy": "size_2"})),
        "bend_s_offset": _BY_LENGTH,
        "bezier": _BY_LENGTH,
        "bend_euler180": Rule("bend_euler", {"angle": "abs(angle)"}),
        "bend_euler_all_angle": Rule("bend_euler", {"angle": "abs(angle)"}),
        "bend_circular180": Rule("bend_circular", {"angle": "abs(angle)"}),
        "bend_circular_all_angle": Rule("bend_circular", {"angle": "abs(angle)"}),
        "bend_circular_heater": Rule("bend_euler", {"length": "length"}),
        "bend_topic": Rule("bend_euler", {"length": "length"}),
        "bend_topic180": Rule("bend_euler", {"length": "length"}),
        "bend_topic_all_angle": Rule("bend_euler", {"length": "length"}),
        "bend_modified_hermite": Rule("bend_euler", {"length": "length"}),
        "bend_modified_hermite180": Rule("bend_euler", {"length": "length"}),
        "bend_modified_hermite_all_angle": Rule("bend_euler", {"length": "length"}),
        "coupler_ring": Rule("coupler_ring", nulls={"length_extension": "radius + 3"}),
        "coupler_straight_asymmetric": Rule(
            "coupler_straight_asymmetric",
            widths={"o1": "width_bot", "o2": "width_top", "o3": "width_top", "o4": "width_bot"},
        ),
        "straight_all_angle": Rule("straight"),
        "straight_rib": Rule("straight"),
        "straight_heater_metal": _HEATER,
        "straight_heater_metal_simple": _HEATER,
        "straight_heater_metal_undercut": _HEATER,
        **dict.fromkeys(("straight_heater_metal_90_90", "straight_heater_metal_undercut_90_90"), _HEATER),
        **dict.fromkeys(("straight_heater_doped_rib", "straight_heater_doped_strip"), _HEATER),
        "straight_pin": Rule("straight", {"length": "length"}),
        "straight_heater_meander": _MEANDER,
        "straight_heater_meander_doped": _MEANDER,
        "taper": _TAPER,
        "taper_strip_to_ridge": _TAPER_OF_LENGTH,
        "taper_strip_to_ridge_trenches": _TAPER_OF_LENGTH,
        "taper_cross_section": _TAPER_OF_LENGTH,
        "taper_cross_section_linear": _TAPER_OF_LENGTH,
        "taper_cross_section_parabolic": _TAPER_OF_LENGTH,
        "taper_cross_section_sine": _TAPER_OF_LENGTH,
        "taper_nc_sc": _TAPER_OF_LENGTH,
        "taper_sc_nc": _TAPER_OF_LENGTH,
        "taper_parabolic": _TAPER_OF_LENGTH,
        "taper_rib_to_strip": _TAPER_OF_LENGTH,
        "trans_rib10": _TAPER_OF_LENGTH,
        "trans_rib20": _TAPER_OF_LENGTH,
        "trans_rib50": _TAPER_OF_LENGTH,
        "taper_adiabatic": _TAPER_OF_LENGTH,
        "taper_hecken": _TAPER_OF_LENGTH,
        "spiral_double": Rule("spiral", {"length": "info_length"}),
        "terminator_spiral": Rule("terminator"),
        "coupler_adiabatic": Rule("adiabatic_coupler"),
        "mmi1x2_rib": Rule("mmi1x2"),
        "mmi2x2_rib": Rule("mmi2x2"),
        "mmi1x2_with_sbend": Rule("mmi1x2"),
        "mmi2x2_with_sbend": Rule("mmi2x2"),
        "coupler_rib": Rule("coupler"),
        "crossing_rib": Rule("crossing"),
        "crossing_etched": Rule("crossing"),
        "crossing_linear_taper": Rule("crossing"),
        "grating_coupler_elliptical": _GRATING,
        "grating_coupler_elliptical_te": _GRATING,
        "grating_coupler_elliptical_trenches": _GRATING,
        "grating_coupler_elliptical_uniform": _GRATING,
        "grating_coupler_elliptical_arbitrary": _GRATING,
        "grating_coupler_elliptical_lumerical": _GRATING_AS_IT_IS,
        "grating_coupler_te": _GRATING,
        "grating_coupler_rectangular": _GRATING,
        "grating_coupler_rectangular_rib": _GRATING,
        "grating_coupler_rectangular_arbitrary": Rule("grating_coupler", instead=True),
        "grating_coupler_focusing_apodized": _GRATING,
        "edge_coupler_silicon": Rule("edge_coupler"),
        "ebeam_gc_te1550": Rule("grating_coupler", instead=True),
        "ebeam_y_1550": Rule("splitter"),
        "ebeam_crossing4": Rule("crossing"),
        "ebeam_terminator_te1550": Rule("terminator"),
        "ring_single_heater": Rule("racetrack", nulls={"length_extension": "radius + 3"}),
        "dbr_cell": Rule("dbr_cell", widths={"o1": "w1", "o2": "w2"}),
    }
)
"""Cells that are components under another name, or with settings that a layout writes otherwise."""

SYNONYMS: Mapping[str, str] = MappingProxyType(
    {
        "waveguide": "straight",
        "wg": "straight",
        "straight_waveguide": "straight",
        "ebeam_wg_integral_1550": "straight",
        "bend": "bend_euler",
        "waveguide_bend": "bend_circular",
        "y_branch": "splitter",
        "ybranch": "splitter",
        "y_junction": "splitter",
        "ysplitter": "splitter",
        "splitter_1x2": "splitter",
        "power_splitter": "splitter",
        "dc": "coupler",
        "coupler_2x2": "coupler",
        "directional_coupler_2x2": "coupler",
        "waveguide_coupler": "coupler",
        "microring": "ring_single",
        "ring": "ring_single",
        "all_pass_ring": "ring_single",
        "add_drop_ring": "ring_double",
        "ring_resonator": "ring_single",
        "mach_zehnder": "mzi",
        "mzm": "mach_zehnder_modulator",
        "mmi": "mmi1x2",
        "mmi_1x2": "mmi1x2",
        "mmi_2x2": "mmi2x2",
        "gc": "grating_coupler",
        "heater": "straight_heater",
        "optical_attenuator": "attenuator",
        "cw_laser": "laser",
        "pin_photodetector": "photodetector",
        "detector": "photodetector",
        "waveguide_crossing": "crossing",
        "mirror": "reflector",
        "phase_shift": "phase_shifter",
        "phaseshifter": "phase_shifter",
        "coupler_ideal": "coupler",
        "bidirectional_coupler": "coupler",
        "splitter_ideal": "splitter",
        "optical_splitter": "splitter",
        "combiner": "splitter",
        "mmi1x2_ideal": "splitter",
        "mmi2x2_ideal": "coupler",
        "crossing_ideal": "crossing",
        "half_ring": "coupler_ring",
        "mrr": "ring_single",
        "double_bus_ring": "ring_double",
        "sbend": "bend_s",
        "s_bend": "bend_s",
        "photodiode": "photodetector",
    }
)
"""Names that users of SAX, SiEPIC and INTERCONNECT try, and the component that has them here."""

MISSING: Mapping[str, str] = MappingProxyType(
    {
        "grating_coupler_dual_pol": "a grating with one port for each polarisation",
        "ge_detector_straight_si_contacts": "a detector with its tapers; `photodetector` is the nearest",
        "disk": "a disk resonator; `ring_single` with the disk's radius is the nearest",
        "disk_heater": "a disk resonator; `ring_single` with the disk's radius is the nearest",
        "dbr": "a Bragg reflector of drawn teeth, which its netlist does not join; `bragg_grating` is near",
        "dbr_tapered": "a Bragg reflector of drawn teeth; `bragg_grating` is the nearest",
        "cavity": "two Bragg reflectors of drawn teeth, which its netlist does not join; `bragg_grating`, "
        "`straight` and `bragg_grating` are the nearest",
        "mode_converter": "an asymmetric coupler between modes of different order; `mode_converter` of the "
        "library is the nearest",
        "ring_double_heater": "a ring of Euler bends on two buses; two `coupler_ring` make one",
        "ring_single_pn": "a ring modulator; `ring_modulator` is the nearest",
        "ring_double_pn": "a ring modulator; `ring_modulator` is the nearest",
        "taper_section": "a piece of a taper along a curve; `taper` of its whole length is the nearest",
        "taper_meander": "a taper along a curve; `taper` of its whole length is the nearest",
        "nxn": "a rectangle with ports; `mmi_nxn` is the nearest",
    }
)
"""Cells whose drawn parts are not their circuit, and what is missing."""

CIRCUITS: Mapping[str, str] = MappingProxyType(
    {
        "ring_double": "with o2 as the through port and Euler bends, other than the component of that name",
        "ring_single": "with Euler bends, other than the component of that name, which is a circle",
    }
)
"""Cells that gdsfactory draws with parts, for which the component of the same name is not the same."""

LAYOUT_ONLY = frozenset(
    {
        "align_wafer", "array", "bbox", "bend_metal", "bend_s_metal", "circle", "compass", "cross", "die",
        "die_frame", "die_frame_rf", "die_half", "ellipse", "heater", "logo", "marker_te", "marker_tm",
        "pad", "pad_array", "pad_gsg", "pad_rectangular", "qrcode", "rectangle", "rectangles",
        "regular_polygon", "seal_ring", "staircase", "straight_metal", "taper_metal", "text",
        "text_freetype", "text_rectangular", "text_rectangular_multi_layer", "triangle", "via", "via1",
        "via2", "via3", "via_stack", "via_stack_heater_mtop", "via_stack_with_offset", "viac",
        "wire_corner", "wire_corner45", "wire_corner45_straight", "wire_straight",
    }
)  # fmt: skip
"""Cells that are drawn and carry no light."""
_TEXT = re.compile(r"TEXT(\$\d+)*|text_.*|via_stack.*|pad_.*|die_frame.*")

LAYOUT_SETTINGS = frozenset(
    {
        "B", "L", "Lk_per_sq", "Z1", "Z2", "add_pins", "allow_min_radius_violation", "alpha",
        "angular_step", "arm", "auto_rename_ports", "bbox_layers", "bbox_offsets", "bend",
        "bend_radius_error_type", "bend_s", "big_last_tooth", "control_points", "coupler_ring",
        "coupler_ring_top", "cross_section", "cross_section1", "cross_section2", "cross_section_bend",
        "cross_section_heater", "cross_section_heater_undercut", "cross_section_rib", "cross_section_strip",
        "cross_section_waveguide_heater", "dielectric_thickness", "direction", "dw", "dx", "dy",
        "end_angle", "end_straight_length", "eps_r", "exclude_layers", "exp", "extension_length",
        "fiber_angle", "fill_factor", "gap_bot", "gap_mmi", "gap_top", "gaps", "grating_line_width",
        "grating_offset", "grating_overhang", "heater_gap", "heater_taper_length", "heater_to_wg_distance",
        "heater_width", "info", "inner_tangent_magnitude", "input_wg_sep", "layer", "layer_grating",
        "layer_heater", "layer_nitride", "layer_slab", "layer_trench", "layer_wg", "layers",
        "layers_doping", "length1", "length2", "length3", "length_coupler", "length_end",
        "length_extension_bot", "length_extension_top", "length_grating", "length_mmi", "length_out",
        "length_rib", "length_start", "length_straight", "length_straight_input", "length_strip",
        "length_taper", "length_taper_in", "length_undercut", "length_undercut_spacing", "linear",
        "max_length", "min_bend_radius", "n", "n_periods", "nclad", "ncladding", "neff_grating", "neff_w",
        "npoints", "nsections", "num_pts", "number_of_loops", "offset", "ohms_per_square",
        "outer_tangent_magnitude", "output_wg_sep", "p_start", "parameters", "period", "polarization",
        "port", "port1", "port2", "port_names", "port_order_name", "port_order_types", "port_orientation",
        "port_orientation1", "port_orientation2", "port_types", "r1", "r2", "s_bend", "separation", "size",
        "slab_offset", "slab_port_layer", "slab_taper_start", "slab_xmin", "spacing", "spiked",
        "start_angle", "straight", "straight_widths", "taper", "taper_angle", "taper_length",
        "taper_to_slab_offset", "taper_widths", "teeth_overhang", "trench_layer", "trench_offset",
        "trench_width", "trenches_extra_angle", "use_slab_port", "via_stack", "via_stack_gap",
        "via_stack_metal", "via_stack_metal_size", "via_stack_offset", "via_stack_size", "w", "w_slab1",
        "w_slab2", "wg_sep", "width", "width1", "width2", "width_coupler", "width_grating", "width_mmi",
        "width_out", "width_rib", "width_slab", "width_strip", "width_taper", "width_taper_in", "width_tip",
        "width_tip_nitride", "width_tip_silicon", "width_type", "widths", "with_arc_floorplan", "with_bbox",
        "with_drop", "with_euler", "with_manhattan_facing_angles", "with_sbend", "with_two_ports",
        "with_undercut", "xoffset_tip1", "xoffset_tip2",
    }
)  # fmt: skip
"""Settings that a layout draws with; accepted of the instances that it wrote, listed, and not simulated."""


_QUALIFIED = re.compile(r"(?P<name>\w+?)_\w+p(?P=name)")


def plain_name(component: str) -> str:
    """Return a cell's name without the module that kfactory writes behind it.

    >>> plain_name("bend_euler_gdsfactorypcomponentspbendspbend_euler")
    'bend_euler'
    """
    found = _QUALIFIED.fullmatch(component)
    return found["name"] if found else component


def refused(name: str, component: str, *, written_out: bool) -> str:
    """Return why an instance that a layout drew is neither a part nor a circuit here; empty otherwise."""
    if written_out:
        return missing(component) if component in MISSING else ""
    if component not in CIRCUITS:
        return ""
    return (
        f"instance {name!r}: {component!r} is drawn with parts, {CIRCUITS[component]}; write the netlist "
        "with them (gdsfactory: recursive=True), or say what it is in a map"
    )


def missing(component: str) -> str:
    """Return what to do about a cell whose drawn parts are not its circuit."""
    return (
        f"the parts that cell {component!r} is drawn with are not its circuit: it is {MISSING[component]}; "
        + supply(component)
    )


def supply(component: str) -> str:
    """Return how to say what a cell is."""
    return (
        f"say what it is in a map, cells: {{{component}: {{component: ...}}}} or "
        f"{{{component}: {{file: ...}}}} with its S-parameters, given with --map"
    )


def about_unknown(component: str) -> str:
    """Return what is known of a name that no component has, and how to say what it is."""
    what = f"it is {MISSING[component]}; " if component in MISSING else ""
    return (
        f"{what}{supply(component)}, or, if the cell has a circuit inside, write the netlist with its parts "
        "(gdsfactory: recursive=True)"
    )


def without_parts(cell: str) -> str:
    """Return why a netlist without instances is not a circuit, and what its cell is."""
    text = f"circuit {cell!r} has no instances: there is nothing to compute"
    rule, model = rule_of(cell), cell if registry.known(cell) else None
    if cell in MISSING:
        return f"{text}; the cell is {MISSING[cell]}"
    if rule is not None or model is not None:
        name = rule.component if rule is not None else model
        return (
            f"{text}; a cell that is drawn as one shape is one component, here {name!r}: write instances: "
            f"{{cell: {{component: {name}, settings: ...}}}}, or give the cell itself to ps.from_gdsfactory"
        )
    return (
        f"{text}; no component has the name of the cell either: where it carries light, {supply(cell)}, in a "
        "netlist that has it as an instance"
    )


def draws_only(component: str) -> bool:
    """Whether a cell is layout only."""
    return component in LAYOUT_ONLY or _TEXT.fullmatch(component) is not None


def rule_of(component: str) -> Rule | None:
    """What a cell of a layout is; None for a name that is not a cell of the table."""
    found = RULES.get(component)
    plain = re.sub(r"[\s-]+", "_", component.strip().lower())
    if found is None and plain in SYNONYMS:  # also as INTERCONNECT writes it: "Y Branch"
        return Rule(SYNONYMS[plain], synonym=True)
    return found
