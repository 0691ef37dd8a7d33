"""What somebody decides about their own notifications."""
