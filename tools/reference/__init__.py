"""docs/reference.md, made of what the catalog says of itself: `python -m reference`, or make reference.

catalog reads what there is and its comments, comment takes a comment apart, page writes; frame.md is the prose around
it. What has no comment is a complaint, and no page is written."""
