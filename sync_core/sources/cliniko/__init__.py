"""Patients, appointments and their types, read from Cliniko."""
