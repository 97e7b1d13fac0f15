using Xunit.Sdk;
using Xunit.v3;

namespace Bootstrap.Lab.Tests;

/// <summary>Tests of one class come one after the other: the classes that take longest begin first, so that none is left alone at the
/// end.</summary>
public sealed class LongestFirst : ITestCollectionOrderer
{
    private static readonly Type[] s_longest =
    [
        typeof(UefiSlotTests), typeof(SlotTests), typeof(TrustTests), typeof(NodeJobTests), typeof(SlotReturnTests),
        typeof(InstallationTests), typeof(FirmwareTests), typeof(FaultTests), typeof(ImageUpdateTests), typeof(HostileNeighbourTests),
        typeof(ProfileTests), typeof(NetbootTests),
    ];

    public IReadOnlyCollection<TTestCollection> OrderTestCollections<TTestCollection>(IReadOnlyCollection<TTestCollection> testCollections)
        where TTestCollection : ITestCollection =>
        [.. testCollections.OrderBy(collection =>
            Array.FindIndex(s_longest, type => collection.TestCollectionDisplayName.Contains(type.FullName!, StringComparison.Ordinal))
                is >= 0 and var place ? place : s_longest.Length)];
}
