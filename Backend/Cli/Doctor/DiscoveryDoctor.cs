using Bootstrap.Cli.Api;

namespace Bootstrap.Cli.Doctor;

/// <summary>Explains why nodes are not found: every rule is asked, what is worst comes first.</summary>
internal static class DiscoveryDoctor
{
    private static readonly Func<InterfaceFacts, DoctorFacts, Finding?>[] s_ofInterfaces =
    [
        LinkRules.Unusable, LinkRules.PortTaken, LinkRules.NotSent, LinkRules.QuestionsStopped, LinkRules.ReversePath,
        LinkRules.AnswersStopped,
        LinkRules.AnswersMissing, LinkRules.NoRoom,
        SwitchRules.BridgeHoldsBack, SwitchRules.QuestionsNotCarried, SwitchRules.BeatsNotCarried, SwitchRules.NoQuerier,
    ];

    private static readonly Func<DoctorFacts, IEnumerable<Finding>>[] s_ofMeshes =
    [
        MeshRules.SameId, MeshRules.TwoBackends, MeshRules.Clock, MeshRules.Certificates, MeshRules.OtherMesh, MeshRules.OthersHaveNoRoom,
    ];

    private static readonly string[] s_order = ["fault", "warning", "notice", "good"];

    /// <summary>The findings, never none.</summary>
    public static IReadOnlyList<Finding> Explain(DoctorFacts facts)
    {
        List<Finding> findings =
        [
            .. facts.Interfaces.SelectMany(i => s_ofInterfaces.Select(rule => rule(i, facts)).OfType<Finding>()
                .Select(f => f with { Interface = i.Name })),
            .. s_ofMeshes.SelectMany(rule => rule(facts)),
        ];
        // That nobody answers follows from any fault above, and is one by itself where there is none.
        if (facts.Answers.Any() || findings.TrueForAll(f => f.Severity != "fault"))
        {
            findings.Add(MeshRules.WhoAnswers(facts));
        }
        return [.. findings.OrderBy(f => Array.IndexOf(s_order, f.Severity))];
    }
}
