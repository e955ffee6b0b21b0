"""What people and programs read: results, status, reports, errors; nothing here asks or decides."""
