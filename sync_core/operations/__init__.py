"""Whatever anybody may ask for, from whatever face: permission, hand-over, action in the audit."""
