"""What people and programs read: results, status, reports, errors.  Nothing here asks or decides."""
