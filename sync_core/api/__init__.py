"""Over HTTP: files as streams, for whoever is signed in to the pages."""
