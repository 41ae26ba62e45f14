namespace Pub.Leases;

/// <summary>How far a lease has come in this process.</summary>
internal enum LeaseStage
{
    /// <summary>The holder does not know it.</summary>
    None,

    /// <summary>Read and delivered; nothing is in flight.</summary>
    Idle,

    /// <summary>Read and delivered.</summary>
    Busy,

    /// <summary>Busy, and its handler outlasted the patience not long ago.</summary>
    Kept,

    /// <summary>The holder was asked to give it up and has not answered.</summary>
    Leaving,

    /// <summary>Given up with a known cursor write. To be released; never gone on with.</summary>
    Ended,

    /// <summary>Lost at stop, without a known cursor write. To be marked as left.</summary>
    Stranded,

    /// <summary>Lost while the holder was giving it up, and it has not answered yet. Not to be claimed until then.</summary>
    Dropping,
}

/// <summary>What one instance knows beside the assignment itself: all that its plan depends on.</summary>
internal sealed record LeaseView
{
    /// <summary>The instance's own session.</summary>
    public required string Session { get; init; }

    /// <summary>Sessions known to be dead.</summary>
    public required IReadOnlySet<string> Dead { get; init; }

    /// <summary>Per lease, how far it has come here.</summary>
    public required IReadOnlyList<LeaseStage> Stages { get; init; }

    /// <summary>Leases that have been seen as left for long enough to be claimed.</summary>
    public required IReadOnlySet<int> Ripe { get; init; }

    /// <summary>Whether the instance wants no share any more.</summary>
    public bool Leaves { get; init; }

    public bool IsHeldHere(int lease) => Stages[lease] is LeaseStage.Idle or LeaseStage.Busy or LeaseStage.Kept or LeaseStage.Leaving;
}
