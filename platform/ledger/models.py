"""Background work as PostgreSQL remembers it; Celery only distributes it."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from accounts.models import Project, User


class State(models.TextChoices):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


FINISHED_STATES = (State.DONE, State.FAILED, State.CANCELLED)


class RunKind(models.TextChoices):
    IMPORT = "import"
    METHOD = "method"
    CONSENSUS = "consensus"
    RELEASE = "release"


class Run(models.Model):
    """One background computation: its row comes first, its message second."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="runs")
    kind = models.CharField(max_length=16, choices=RunKind.choices)
    # The file name of the method for kind=method, else the kind again.
    method = models.CharField(max_length=64)
    queue = models.CharField(max_length=16)
    params = models.JSONField(default=dict)
    state = models.CharField(max_length=16, choices=State.choices, default=State.QUEUED)
    stage = models.CharField(max_length=64, blank=True)
    done_items = models.BigIntegerField(default=0)
    total_items = models.BigIntegerField(null=True)
    result = models.JSONField(default=dict)
    error = models.TextField(blank=True)
    code_version = models.CharField(max_length=64, blank=True)
    requested_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    heartbeat_at = models.DateTimeField(null=True)
    cancel_requested_at = models.DateTimeField(null=True)
    # The sweeper sends the message of an unfinished run again when this is long ago.
    sent_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (
            models.Index(fields=["project", "-id"], name="runs_newest_first"),
            models.Index(
                fields=["project", "method", "-id"], name="runs_of_a_method", condition=models.Q(state="done")
            ),
            models.Index(fields=["state"], name="unfinished_runs", condition=models.Q(state__in=["queued", "running"])),
        )


class Shard(models.Model):
    """A piece of a run that one worker does at a time, and may do again without effect."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="shards")
    # Stages go in order; the shards of one stage are independent.
    stage = models.PositiveSmallIntegerField(default=0)
    position = models.PositiveIntegerField()
    # What is in it, in the words of the method's runner: {"source": 3, "after": 0, "until": 4096}.
    scope = models.JSONField(default=dict)
    items = models.PositiveIntegerField(default=0)
    done_items = models.BigIntegerField(default=0)
    state = models.CharField(max_length=16, choices=State.choices, default=State.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    # The worker that holds it, so that a worker started again under the same name may go on at once.
    owner = models.CharField(max_length=200, blank=True)
    lease_token = models.UUIDField(null=True)
    lease_expires_at = models.DateTimeField(null=True)
    result = models.JSONField(default=dict)
    error = models.TextField(blank=True)

    class Meta:
        constraints = (models.UniqueConstraint("run", "stage", "position", name="one_shard_per_place"),)
        indexes = (
            models.Index(fields=["lease_expires_at"], name="shards_by_expiry", condition=models.Q(state="running")),
        )


class Worker(models.Model):
    """A Celery worker process that said it is alive."""

    name = models.CharField(max_length=200, unique=True)
    queues = models.JSONField(default=list)
    devices = models.JSONField(default=list)
    code_version = models.CharField(max_length=64)
    started_at = models.DateTimeField(default=timezone.now)
    heartbeat_at = models.DateTimeField(default=timezone.now)
    # Set when it said goodbye; its cards stay, so that a run for its methods may wait for its return.
    stopped_at = models.DateTimeField(null=True)


class MethodCard(models.Model):
    """What a worker published about a method it can run; the web builds its form from this."""

    worker = models.ForeignKey(Worker, on_delete=models.CASCADE, related_name="methods")
    method = models.CharField(max_length=64)
    label = models.CharField(max_length=120)
    queue = models.CharField(max_length=16)
    shape = models.CharField(max_length=8, choices=[("map", "map"), ("whole", "whole")])
    needs = models.JSONField(default=list)
    yields = models.JSONField(default=list)
    devices = models.JSONField(default=list)
    # Whether it reads embeddings of the texts, which is most of what a first run costs.
    embeds = models.BooleanField(default=False)
    documentation = models.TextField()
    # JSON schema of the parameters.
    parameters = models.JSONField(default=dict)
    code_version = models.CharField(max_length=64)
    published_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (models.UniqueConstraint("worker", "method", name="one_card_per_worker_and_method"),)
