using Bootstrap.Server.Features.Files;
using Bootstrap.Server.Features.Images;
using Bootstrap.Server.Features.Jobs.Kinds;
using Bootstrap.Server.Features.NetInst;
using Bootstrap.Server.Features.Profiles;
using Bootstrap.Server.Features.Settings;
using Bootstrap.Server.Storage;

namespace Bootstrap.Server.Features.Jobs;

/// <summary>Where kinds of jobs look things up.</summary>
/// <param name="NetInst">By architecture.</param>
internal sealed record JobSources(
    Database Database, PolicyStore Policy, ImageCatalogue Images, FileCatalogue Files, IReadOnlyDictionary<string, NetInstFiles> NetInst,
    BootSetLibrary Sets,
    ProfileStore Profiles, BenchmarkPeers Peers, ApplianceOptions Options);
