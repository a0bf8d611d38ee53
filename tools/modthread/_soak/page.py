"""A campaign as one HTML page."""

import platform
from datetime import UTC, datetime
from pathlib import Path

from modthread._firmware import build
from modthread._reports.templates import template
from modthread._soak.campaign import Campaign
from modthread._soak.workloads import WORKLOADS


def write_page(campaign: Campaign, path: Path) -> None:
    """Write what was counted and all that failed to `path`."""
    rows = [
        (workload.unit, tally, campaign.goal(workload), campaign.failed(name))
        for name, tally in campaign.tallies.items()
        if (workload := WORKLOADS[name])
    ]
    text = template("soak.html").render(
        campaign=campaign,
        rows=rows,
        written=datetime.now(UTC),
        host=platform.platform(),
        python=platform.python_version(),
        version=build.version(),
    )
    path.write_text(text)
