# syntax=docker/dockerfile:1
FROM --platform=$BUILDPLATFORM node:24-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts && npm rebuild esbuild
COPY tsconfig.json ./
COPY .config .config
COPY src src
RUN npm run bundle

FROM gcr.io/distroless/nodejs24-debian12:nonroot
LABEL org.opencontainers.image.title="dittofs-operator" \
      org.opencontainers.image.description="Kubernetes operator and admission webhook for DittoFS" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /build/dist/dittofs-operator.mjs /build/dist/dittofs-operator.mjs.map /app/
USER 65532:65532
EXPOSE 9443 8081
ENTRYPOINT ["/nodejs/bin/node", "--enable-source-maps", "/app/dittofs-operator.mjs"]
CMD ["serve"]
