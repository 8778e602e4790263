# A base for Lambda functions in images: a base of yours with the extension and its config under /opt, where a layer would be.
#
#   docker build --file dist/lambda.Dockerfile --platform linux/amd64 --provenance=false \
#     --build-arg BASE=public.ecr.aws/lambda/nodejs:22 target/dist/lambda/layer
#
# Lambda refuses lists of images: build for one platform, and without what Docker attests beside the image (podman attests nothing and does not know
# that flag).
ARG BASE
FROM ${BASE}
ARG TARGETARCH
COPY ${TARGETARCH}/ /opt/
