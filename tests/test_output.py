"""What a test printed and how it ended, as counts: googletest, TAP, and plain exit codes."""
import json
import re
import signal
from dataclasses import dataclass, field

SKIP_CODE = 77
TAIL_LINES = 40
REMARKS = 5
TAP = re.compile(r"^(not )?ok\b\s*(\d+)?\s*-?\s*(.*)$")
TAP_PLAN = re.compile(r"^1\.\.(\d+)\s*(?:#\s*skip\s*(.*))?$", re.IGNORECASE)
TAP_DIRECTIVE = re.compile(r"#\s*(skip|todo)\b\S*\s*(.*)$", re.IGNORECASE)
GTEST = re.compile(r"\[\s*(RUN|OK|FAILED|SKIPPED)\s*\] ([\w/.]+)")


@dataclass
class Outcome:
    passed: int = 0
    failed: list = field(default_factory=list)   # (name, reason)
    skipped: list = field(default_factory=list)  # (name, reason)

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped

    def total(self):
        return self.passed + len(self.failed) + len(self.skipped)

    def line(self):
        return f"{self.passed} passed, {len(self.failed)} failed, {len(self.skipped)} skipped"


def telling(lines):
    """Of a failed test's log, what tells why: in TAP each `not ok` with the remarks around it, otherwise the end."""
    found, remarks, after_failure = [], [], False
    for line in lines:
        if line.startswith("#"):
            (found if after_failure else remarks).append(line)
            continue
        match = TAP.match(line)
        after_failure = bool(match and match.group(1))
        if after_failure:
            found += [*remarks[-REMARKS:], line]
        remarks = []
    return found or lines[-TAIL_LINES:]


def ending(code):
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"


def from_script(name, text, code, ended):
    """`ended` says in words how the script ended; so below."""
    lines = [line for line in text.splitlines() if line.strip()]
    tap = [match for match in map(TAP.match, lines) if match]
    plans = [match for match in map(TAP_PLAN.match, lines) if match]
    if tap or plans:
        return from_tap(name, tap, plans, code, ended)
    outcome = Outcome()
    if code == 0:
        outcome.passed = 1
    elif code == SKIP_CODE:
        outcome.skipped.append((name, lines[-1].strip() if lines else "no reason given"))
    else:
        outcome.failed.append((name, ended))
    return outcome


def from_tap(name, points, plans, code, ended):
    outcome = Outcome()
    for point in points:
        title = f"{name}: {point.group(3).split('#')[0].strip()}"
        directive = TAP_DIRECTIVE.search(point.group(3))
        if directive and directive.group(1).lower() == "skip":
            outcome.skipped.append((title, directive.group(2) or "no reason given"))
        elif point.group(1):
            outcome.failed.append((title, "not ok"))
        else:
            outcome.passed += 1
    if plans and int(plans[-1].group(1)) != len(points):
        outcome.failed.append((name, f"planned {plans[-1].group(1)} tests, ran {len(points)}"))
    elif plans and not points:
        outcome.skipped.append((name, plans[-1].group(2) or "no reason given"))
    if code == SKIP_CODE and not outcome.failed:
        outcome.skipped.append((name, "the rest of the script"))
    elif code not in (0, SKIP_CODE) and not outcome.failed:
        outcome.failed.append((name, ended))
    return outcome


def gtest_skip_reasons(text):
    """The message of each GTEST_SKIP(), which the JSON report does not hold."""
    reasons, since_start = {}, []
    for line in text.splitlines():
        match = GTEST.search(line)
        if not match:
            since_start.append(line.strip())
        elif match.group(1) == "RUN":
            since_start = []
        elif match.group(1) == "SKIPPED" and match.group(2) not in reasons:
            after = since_start
            for index, word in enumerate(since_start):
                if word.endswith(": Skipped"):
                    after = since_start[index + 1:]
            reasons[match.group(2)] = " ".join(word for word in after if word)
    return reasons


def from_gtest(name, text, report, code, ended):
    try:
        outcome = from_gtest_report(json.loads(report.read_text(encoding="utf-8")), gtest_skip_reasons(text))
    except (OSError, ValueError):
        outcome = from_gtest_log(text, ended)
    if code != 0 and not outcome.failed:
        outcome.failed.append((name, ended))
    return outcome


def from_gtest_report(report, reasons):
    outcome = Outcome()
    for suite in report["testsuites"]:
        for test in suite["testsuite"]:
            title = f"{suite['name']}.{test['name']}"
            if test.get("failures"):
                first = test["failures"][0]["failure"].strip().splitlines()
                outcome.failed.append((title, " ".join(first[:2])))
            elif test["status"] == "NOTRUN" and test["name"].startswith("DISABLED_"):
                outcome.skipped.append((title, "disabled"))
            elif test["result"] == "SKIPPED":
                outcome.skipped.append((title, reasons.get(title) or "no reason given"))
            elif test["status"] == "RUN":
                outcome.passed += 1
    return outcome


def from_gtest_log(text, ended):
    """The binary did not live to write its report: the log says how far it came."""
    outcome = Outcome()
    reasons = gtest_skip_reasons(text)
    current = None
    seen = set()
    for state, title in GTEST.findall(text):
        if state == "RUN":
            current = title
        elif title == current and title not in seen:
            seen.add(title)
            current = None
            if state == "OK":
                outcome.passed += 1
            elif state == "SKIPPED":
                outcome.skipped.append((title, reasons.get(title) or "no reason given"))
            else:
                outcome.failed.append((title, "failed"))
    outcome.failed.append((current or "before or after the tests", ended))
    return outcome
