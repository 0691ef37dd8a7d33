"""The same from a shell: `syncdesk`."""
