"""Which file of the component library declares which components.

A netlist of a few components then loads the files of these alone. A component that does not stand here is
found as well, when all files are loaded; a test keeps the table whole.
"""

from __future__ import annotations

LIBRARY = "photosim.components"
FILES = {
    "activations": "electro_optic_activation ring_activation",
    "amplifiers": "soa",
    "chip_edges": "edge_coupler grating_coupler",
    "control": (
        "dither_source high_pass_filter integrator lock_in low_pass_filter mixer phase_detector "
        "pid_controller"
    ),
    "coupled_guides": (
        "adiabatic_coupler coupler90 coupler_ring coupler_ring.coupling coupler_straight directional_coupler"
    ),
    "coupled_rings": "crow",
    "couplers": "coupler coupler.coupling_slope coupler.gap",
    "detectors": "avalanche_photodetector balanced_photodetector photodetector",
    "drawn_guides": "bend_circular bend_s bend_s.length coupler_straight_asymmetric dbr_cell width_step",
    "dynamic_amplifiers": "dynamic_soa saturable_absorber",
    "dynamic_lasers": "rate_equation_laser vcsel",
    "electrical": (
        "bond_wire capacitor coupled_inductors current_controlled_current_source "
        "current_controlled_voltage_source current_source diode inductor resistor transmission_line "
        "voltage_controlled_current_source voltage_controlled_voltage_source voltage_probe voltage_source"
    ),
    "electro_optical": (
        "driver junction_photodiode laser_leads lumped_modulator packaged_laser resistive_heater "
        "shunt_feedback_amplifier thermal_resistor"
    ),
    "electrodes": "lossy_line travelling_wave_electrode travelling_wave_modulator",
    "equalisers": "clock_recovery feed_forward_equaliser pre_emphasis",
    "fibres": "fibre",
    "free_space": "camera dmd slm weighing_detector weighing_mirrors",
    "gas_cells": "gas_cell",
    "gratings": "bragg_grating contra_directional_coupler",
    "guides": "bend_euler bend_euler.length straight straight_heater",
    "hexagonal": "hexagonal_mesh",
    "interferometers": "mzi",
    "lasers": "frequency_comb laser pulsed_laser",
    "media": (
        "disordered_waveguide lens multimode_fiber phase_screens scattering_medium speckle_fiber "
        "speckle_medium"
    ),
    "meshes": "butterfly_mesh clements_mesh diamond_mesh mzi_block reck_mesh svd_mesh",
    "modes": (
        "mode_converter polarization_rotator polarization_rotator.extinction_dB "
        "polarization_splitter_rotator straight_multimode"
    ),
    "modulators": (
        "electro_absorption_modulator mach_zehnder_modulator phase_modulator ring_modulator "
        "variable_attenuator"
    ),
    "multimode_interference": "mmi_nxn",
    "nonlinear_rings": "nonlinear_ring",
    "oneway": "circulator isolator",
    "passives": "attenuator crossing phase_shifter reflector scatterer terminator",
    "programmable": "mesh_filter tunable_coupler",
    "racetracks": "racetrack",
    "receivers": "adc coherent_receiver current_driver dac heater_driver hybrid_90 transimpedance_amplifier",
    "rings": "ring_double ring_double_ideal ring_single ring_single_ideal",
    "sampled": "sampled",
    "shifters": "driven_shifter pn_phase_shifter thermo_optic_shifter",
    "slicers": "spectrum_slicer",
    "spice": "spice_subcircuit",
    "splitters": "mmi1x2 mmi2x2 splitter",
    "star_couplers": "free_propagation_region",
    "strip": "delay_line spiral straight_strip taper",
    "tabulated": "sampled_over straight_sampled",
    "touchstone_networks": "touchstone_four_port touchstone_two_port",
    "weightbanks": "modulator_bus weight_bank weight_bank_row",
    "wide_lasers": "large_area_vcsel",
}
"""File to the names of its components."""
_HOMES = {name: file for file, names in FILES.items() for name in names.split()}


def home(name: str) -> str | None:
    """Return the module of the library that declares a component, or None."""
    file = _HOMES.get(name)
    return None if file is None else f"{LIBRARY}.{file}"
