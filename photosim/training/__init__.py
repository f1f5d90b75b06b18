"""Learning through simulated hardware: data, layers, rules, devices and the trainer."""
