"""The jobs: one class for each kind of call to a channel, each in a file of its own and named here, and nowhere else."""

from __future__ import annotations

from pipeline.jobs.add_product import AddProduct
from pipeline.jobs.decide import Agree, AgreeReturn, ConfirmReturn, Reject, RejectReturn
from pipeline.jobs.edit_logistics import EditLogistics
from pipeline.jobs.job import Job, Tools
from pipeline.jobs.ship import Ship

JOBS: tuple[type[Job], ...] = (
    AddProduct,
    Ship,
    EditLogistics,
    Agree,
    Reject,
    AgreeReturn,
    ConfirmReturn,
    RejectReturn,
)
KINDS = frozenset(job.KIND for job in JOBS)


def make_jobs(tools: Tools) -> dict[str, Job]:
    """Give a job for each kind."""
    return {job.KIND: job(tools) for job in JOBS}
