"""Vowels by two layers of interferometers (shen2017): `system` is the entry."""
