"""What surrounds every page: sign-in, navigation, who is here, what is live, what went wrong."""
