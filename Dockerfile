# syntax=docker/dockerfile:1@sha256:b6afd42430b15f2d2a4c5a02b919e98a525b785b1aaff16747d2f623364e39b6
FROM --platform=$BUILDPLATFORM node:24-bookworm-slim@sha256:0e0ff40c39bc087845bfb27465a0df4ea419520094bc35842ff83dd8cbe6f9b6 AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts && npm rebuild esbuild
COPY tsconfig.json ./
COPY .config .config
COPY src src
COPY manifests/samples manifests/samples
RUN npm run bundle

FROM gcr.io/distroless/nodejs24-debian12:nonroot@sha256:14d42e2511532589a7c7e01a753667a74fcc96266e137e8125006b87b0c32d0a
LABEL org.opencontainers.image.title="dittofs-operator" \
      org.opencontainers.image.description="Kubernetes operator and admission webhook for DittoFS" \
      org.opencontainers.image.licenses="Apache-2.0"
# A command with the name of the program, for example: kubectl exec deploy/dittofs-operator -- dittofs-operator doctor
COPY --chmod=755 <<EOF /usr/local/bin/dittofs-operator
#!/nodejs/bin/node
import('/app/dittofs-operator.mjs')
EOF
COPY LICENSE /app/
COPY --from=build /build/dist/dittofs-operator.mjs /build/dist/dittofs-operator.mjs.map /build/dist/THIRD-PARTY-LICENSES /build/dist/sbom.cdx.json /app/
COPY --from=build /build/dist/playground /app/playground
USER 65532:65532
EXPOSE 9443 8081
# The flags save memory: see docs/performance.md.
ENTRYPOINT ["/nodejs/bin/node", "--max-semi-space-size=8", "--no-maglev", "--initial-old-space-size=24", "--v8-pool-size=1", "/app/dittofs-operator.mjs"]
CMD ["serve"]
