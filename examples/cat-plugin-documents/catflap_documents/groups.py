"""The groups that a person has verifiably."""

from .catflap_attributes import attributes


def groups_of(cat):
    """The groups of the person; without attributes that Catflap has signed there are none."""
    groups = attributes(cat).get("groups", [])
    return [g for g in groups if isinstance(g, str) and g] if isinstance(groups, list) else []
