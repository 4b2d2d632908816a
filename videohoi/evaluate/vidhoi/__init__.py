"""VidHOI: frames, persons, AP and reports."""
