//! Undoing one change, through the ordinary checks.
