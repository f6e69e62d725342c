# One image for web and worker; the GPU profile builds it with CUDA's torch.
FROM python:3.11-slim-bookworm

# cpu: a small image from PyTorch's CPU index; cuda: PyPI's own build.
ARG TORCH=cpu
ENV PIP_NO_CACHE_DIR=1 PYTHONUNBUFFERED=1 HF_HUB_OFFLINE=1 HANDPICKED_DATA_DIR=/data
WORKDIR /srv/handpicked

COPY pyproject.toml constraints.txt README.md ./
COPY app app
COPY training training
RUN if [ "$TORCH" = cpu ]; then \
        pip install --index-url https://download.pytorch.org/whl/cpu 'torch>=2.9,<2.14'; \
    fi \
    && pip install --constraint constraints.txt --editable .
COPY alembic.ini ./
COPY migrations migrations
COPY templates templates
COPY static static

RUN useradd --system --uid 10001 --home /data handpicked && mkdir /data && chown handpicked /data
USER handpicked
VOLUME /data
EXPOSE 8000
CMD ["handpicked", "serve", "--host", "0.0.0.0", "--no-worker"]
