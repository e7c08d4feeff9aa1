"""The jobs: one class for each kind of call to a channel, each in a file of its own and named here, and nowhere else."""

from __future__ import annotations

from pipeline.sending.jobs.add_product import AddProduct
from pipeline.sending.jobs.decide import Agree, AgreeReturn, ConfirmReturn, Reject, RejectReturn
from pipeline.sending.jobs.edit_logistics import EditLogistics
from pipeline.sending.jobs.job import Job, Tools
from pipeline.sending.jobs.ship import Ship

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
