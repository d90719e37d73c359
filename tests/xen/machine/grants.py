"""Grants that are still mapped when all tests are over: leaks, unless they are to dom0 (console and XenStore).

Read from what the hypervisor prints for `xl debug-keys g`. It lists only grants that somebody has mapped; what was
granted and not mapped is the granting guest's own business, and goes when its process closes gntalloc.
"""
import re

import test_output

TABLE = re.compile(r"grant-table for remote d(\d+)")
ENTRY = re.compile(r"\[(0x[0-9a-f]+)\]\s+(\d+)\s+0x[0-9a-f]+\s+0x[0-9a-f]+")
END = re.compile(r"gnttab_usage_print_all \] done")


def mapped(lines):
    """{(granting domain, mapping domain): count}, and whether the hypervisor's print is complete."""
    counts, granter, complete = {}, None, False
    for line in lines:
        table, entry = TABLE.search(line), ENTRY.search(line)
        if table:
            granter = int(table.group(1))
        elif entry and granter is not None:
            pair = (granter, int(entry.group(2)))
            counts[pair] = counts.get(pair, 0) + 1
        elif END.search(line):
            complete = True
    return counts, complete


def outcome(kind, lines, guests):
    """One test for each guest: none of its pages is mapped by another guest at the end."""
    counts, complete = mapped(lines)
    result = test_output.Outcome()
    for guest in guests:
        name = f"{kind} guest {guest.name}: no grants left"
        leaks = [f"{count} mapped by domain {mapper}" for (granter, mapper), count in sorted(counts.items())
                 if granter in guest.domids and mapper != 0]
        if not complete:
            result.failed.append((name, "the hypervisor did not print its grant tables"))
        elif leaks:
            result.failed.append((name, "pages granted by it are still mapped: " + ", ".join(leaks)))
        else:
            result.passed += 1
    return result
