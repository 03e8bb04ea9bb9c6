"""What a run leaves behind for a sceptic: a manifest that pins every number, and the means to hold it against disk."""
