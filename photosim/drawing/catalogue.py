"""Which symbol a component has, by its name; those that no line names have the symbol of their kind."""

from __future__ import annotations

SYMBOLS: dict[str, str] = {
    "straight": "guide", "straight_strip": "guide", "straight_sampled": "guide",
    "straight_multimode": "guide", "bend_circular": "bend", "bend_euler": "bend", "bend_s": "bend_s",
    "taper": "taper", "width_step": "step", "spiral": "spiral", "delay_line": "spiral", "fibre": "coil",
    "gas_cell": "gas", "coupler": "coupler", "adiabatic_coupler": "coupler", "coupler90": "coupler",
    "coupler_ring": "coupler", "coupler_straight": "coupler", "coupler_straight_asymmetric": "coupler",
    "directional_coupler": "coupler", "tunable_coupler": "mzi2x2", "contra_directional_coupler": "contra",
    "crossing": "crossing", "splitter": "y_branch", "mmi1x2": "mmi1x2", "mmi2x2": "mmi2x2",
    "mmi_nxn": "multi", "free_propagation_region": "star", "hybrid_90": "hybrid", "mzi": "mzi mzi2x2",
    "mzi_block": "mzi_block", "dbr_cell": "bragg", "ring_single": "ring1", "ring_single_ideal": "ring1",
    "ring_double": "ring2", "ring_double_ideal": "ring2", "racetrack": "racetrack", "crow": "crow",
    "mesh_filter": "ring1", "nonlinear_ring": "nonlinear_ring", "grating_coupler": "grating_coupler",
    "edge_coupler": "facet", "bragg_grating": "bragg", "phase_shifter": "phase", "driven_shifter": "phase",
    "straight_heater": "heater", "thermo_optic_shifter": "heater", "pn_phase_shifter": "driven_phase",
    "mach_zehnder_modulator": "modulator", "phase_modulator": "driven_phase",
    "lumped_modulator": "modulator_pair",
    "ring_modulator": "ring_modulator", "electro_absorption_modulator": "absorption",
    "modulator_bus": "modulator_bus", "attenuator": "attenuator",
    "variable_attenuator": "variable_attenuator", "laser": "laser", "frequency_comb": "comb",
    "pulsed_laser": "pulsed", "rate_equation_laser": "laser_driven", "vcsel": "laser_driven",
    "laser_leads": "", "packaged_laser": "laser_pair",
    "large_area_vcsel": "array_laser", "photodetector": "detector", "avalanche_photodetector": "detector",
    "balanced_photodetector": "balanced", "junction_photodiode": "detector_pair",
    "coherent_receiver": "receiver", "weighing_detector": "array_detector", "soa": "amplifier",
    "dynamic_soa": "amplifier", "saturable_absorber": "saturable", "ring_activation": "activation",
    "electro_optic_activation": "activation", "isolator": "isolator", "circulator": "circulator",
    "reflector": "mirror", "scatterer": "scatterer", "terminator": "terminator",
    "polarization_rotator": "rotator", "polarization_splitter_rotator": "polarisation_splitter",
    "mode_converter": "converter", "scattering_medium": "medium", "disordered_waveguide": "medium",
    "multimode_fiber": "coil", "speckle_fiber": "coil", "speckle_medium": "speckle",
    "phase_screens": "screens", "slm": "slm", "dmd": "dmd", "weighing_mirrors": "dmd", "lens": "lens",
    "camera": "camera", "clements_mesh": "mesh", "reck_mesh": "mesh", "butterfly_mesh": "mesh",
    "diamond_mesh": "mesh", "hexagonal_mesh": "mesh", "svd_mesh": "mesh", "weight_bank": "bank",
    "weight_bank_row": "bank", "spectrum_slicer": "bank", "sampled": "sampled", "sampled_over": "sampled",
    "resistor": "resistor", "bond_wire": "inductor", "capacitor": "capacitor", "inductor": "inductor",
    "coupled_inductors": "transformer", "diode": "diode", "transmission_line": "line",
    "voltage_source": "voltage_source_alone voltage_source",
    "current_source": "current_source_alone current_source",
    "current_controlled_current_source": "controlled", "current_controlled_voltage_source": "controlled",
    "voltage_controlled_current_source": "controlled", "voltage_controlled_voltage_source": "controlled",
    "voltage_probe": "probe", "thermal_resistor": "resistor", "resistive_heater": "heater_network",
    "driver": "driver", "shunt_feedback_amplifier": "tia", "transimpedance_amplifier": "tia",
    "current_driver": "current_driver", "heater_driver": "current_driver", "adc": "adc", "dac": "dac",
    "feed_forward_equaliser": "equaliser", "pre_emphasis": "emphasis", "clock_recovery": "clock",
    "low_pass_filter": "filter", "high_pass_filter": "filter", "dither_source": "oscillator",
    "integrator": "loop_part", "pid_controller": "loop_part", "phase_detector": "mixer", "lock_in": "mixer",
    "mixer": "mixer", "lossy_line": "line_common", "touchstone_two_port": "two_port",
    "touchstone_four_port": "four_port", "travelling_wave_electrode": "electrode",
    "travelling_wave_modulator": "modulator_pair", "spice_subcircuit": "",
}  # fmt: skip
"""Symbol of each component of the library."""

ENTERING = {
    "current_controlled_current_source": ("e3", "e4"), "current_controlled_voltage_source": ("e3", "e4"),
    "voltage_controlled_current_source": ("e3", "e4"), "voltage_controlled_voltage_source": ("e3", "e4"),
    "lossy_line": ("e1",), "travelling_wave_electrode": ("e1",),
}  # fmt: skip
"""Pins that stand on the left, of electrical networks where these are not the first half."""

OF_KINDS = {"source": "laser", "detector": "detector"}
"""Symbol of components that are not in the table, by kind; others are boxes with name and ports."""


def symbols_of(component: str, kind: str) -> tuple[str, ...]:
    """Return the names of the symbols of a component, by the number of its ports; none for a box."""
    # The forms of a component, coupler.gap, are drawn as the component.
    return tuple(SYMBOLS.get(component.partition(".")[0], OF_KINDS.get(kind, "")).split())
