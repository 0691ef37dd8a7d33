"""What surrounds every page: sign-in, navigation, the visitor, the active runs, errors."""
