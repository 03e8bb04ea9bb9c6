"""What a cell has trained, in the forms that other programs read: formats, a folder for the hub, and its way there."""
