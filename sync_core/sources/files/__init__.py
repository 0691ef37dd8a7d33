"""CSV files: in a folder, or published at an address."""
