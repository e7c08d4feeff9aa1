"""Uploads (导入): received, checked, reported, and told of afterwards (R16–R19)."""
