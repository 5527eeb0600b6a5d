# syntax=docker/dockerfile:1
# Two images from one file:
#   docker build --target web -t winnow-web .
#   docker build --target worker --build-arg TORCH_INDEX=... -t winnow-worker .
# TORCH_INDEX is the index of CPU builds that PyTorch's installation page names; a build of it counts as newer than the
# plain one. Without it the worker gets torch with CUDA (over 2 GB).

FROM python:3.11-slim-bookworm AS web
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PYTHONPATH=/app:/app/platform DJANGO_SETTINGS_MODULE=winnow.settings \
    WINNOW_HOME=/data WINNOW_HOST=0.0.0.0 WINNOW_PORT=8000
RUN useradd --create-home --uid 10001 winnow && mkdir /data && chown winnow:winnow /data
WORKDIR /app
# The dependencies alone first: they change less often than the code.
COPY pyproject.toml README.md ./
RUN python -c "import tomllib; print('\n'.join(tomllib.load(open('pyproject.toml', 'rb'))['project']['dependencies']))" > /tmp/web.txt \
    && pip install --requirement /tmp/web.txt
COPY . .
USER winnow
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
    CMD ["python", "-c", "import sys; from winnow.environment import environment; from winnow.supervisor.parts import status_of; sys.exit(status_of(environment(), 8000, '/healthz') != 200)"]
CMD ["gunicorn", "--config", "python:winnow.web_server", "winnow.wsgi:application"]

FROM web AS worker
ARG TORCH_INDEX=""
USER root
RUN python -c "import tomllib; print('\n'.join(tomllib.load(open('pyproject.toml', 'rb'))['project']['optional-dependencies']['workers']))" > /tmp/workers.txt \
    && pip install ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"} --requirement /tmp/workers.txt
USER winnow
HEALTHCHECK NONE
CMD ["celery", "-A", "winnow", "worker", "--queues", "cpu,io", "--hostname", "cpu@%h", "--pool", "solo", "--without-gossip", "--without-mingle", "--loglevel", "INFO"]
